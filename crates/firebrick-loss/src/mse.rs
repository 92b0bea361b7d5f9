//! Mean squared error: `torch.nn.MSELoss`. Burn's `MseLoss` does the arithmetic; it gives the golden
//! numbers once the shapes are checked and `none` is added.

use std::sync::Arc;

use burn::nn::loss::MseLoss as BurnMseLoss;
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

const NAME: &str = "mse";

/// Arguments of [`MseLoss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MseLossConfig {
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for MseLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.reduction.validate()
    }
}

impl Loss for MseLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.MSELoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(MseLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        of_elements(inputs, |x, y| Term::new(format!("({})^2", difference(x, y)), (y - x) * (y - x)))
    }
}

impl MseLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `reduction` is `batchmean`.
    pub fn init(&self) -> Result<MseLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(MseLoss { config: self.clone() })
    }
}

/// `loss = (input - target)^2`, an element at a time.
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
/// `torch.nn.MSELoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::MseLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([1.0, 2.0, 5.0], &device);
/// let loss = MseLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 4.0 / 3.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MseLoss {
    config: MseLossConfig,
}

impl MseLoss {
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
        Ok(BurnMseLoss::new().forward_no_reduction(input, target))
    }
}

impl Elementwise for MseLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}
