//! L1 (mean absolute error): `torch.nn.L1Loss`. Ours: Burn's `LpLoss` has no `none` reduction and
//! broadcasts silently, and nothing is left of it once those are fixed.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::Loss;
use crate::reduction::Reduction;
use crate::session::explanation::{difference, of_elements};
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::{check, elementwise};

const NAME: &str = "l1";

/// Arguments of [`L1Loss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct L1LossConfig {
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for L1LossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.reduction.validate()
    }
}

impl Loss for L1LossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.L1Loss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(L1Loss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        of_elements(inputs, |x, y| Term::new(format!("|{}|", difference(x, y)), (y - x).abs()))
    }
}

impl L1LossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `reduction` is `batchmean`.
    pub fn init(&self) -> Result<L1Loss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(L1Loss { config: self.clone() })
    }
}

/// `loss = |input - target|`, an element at a time.
///
/// The gradient is `sign(input - target)`, which is 0 where they are equal (and, as in torch, where
/// the difference is NaN).
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Training a classifier
///
/// The network's output is compared with probabilities: 1 for the class of an image and 0 for the others, or
/// soft targets. Nothing keeps it in 0..=1; a softmax or sigmoid at the end does.
///
/// # Source
///
/// `torch.nn.L1Loss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::L1LossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([1.0, 2.0, 5.0], &device);
/// let loss = L1LossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 2.0 / 3.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct L1Loss {
    config: L1LossConfig,
}

impl L1Loss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each element, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        Ok((input - target).abs())
    }
}

impl Elementwise for L1Loss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}
