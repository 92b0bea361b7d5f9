//! Huber: `torch.nn.HuberLoss`. Ours: Burn's keeps `delta` in f32, accepts 0 and has no `none`.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::Loss;
use crate::reduction::Reduction;
use crate::session::explanation::{difference, number, of_elements};
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::{check, elementwise};

const NAME: &str = "huber";

/// Arguments of [`HuberLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HuberLossConfig {
    /// Where the loss turns from squared to linear, above 0. Default 1.
    pub delta: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for HuberLossConfig {
    fn default() -> Self {
        Self { delta: 1.0, reduction: Reduction::Mean }
    }
}

impl Component for HuberLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.delta > 0.0, "delta", self.delta, "a number above 0")?;
        self.reduction.validate()
    }
}

impl Loss for HuberLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.HuberLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(HuberLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        let delta = self.delta;
        of_elements(inputs, |x, y| {
            let (text, distance) = (difference(x, y), (y - x).abs());
            if distance <= delta {
                Term::new(format!("({text})^2 / 2"), distance * distance / 2.0)
            } else {
                let text = format!("{} * (|{text}| - {})", number(delta), number(delta / 2.0));
                Term::new(text, delta * (distance - delta / 2.0))
            }
        })
    }
}

impl HuberLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `delta` is not a number above 0, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<HuberLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(HuberLoss { config: self.clone() })
    }
}

/// Squared near the target, linear far from it: with `d = input - target`,
/// `loss = d^2 / 2` where `|d| <= delta`, otherwise `delta (|d| - delta / 2)`.
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
/// `torch.nn.HuberLoss`; Huber, "Robust Estimation of a Location Parameter" (1964), page 73.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::HuberLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([0.5, 0.0], &device);
/// let loss = HuberLossConfig::default().init()?.forward(input, target)?;
/// // (0.5^2 / 2 + (3 - 1/2)) / 2
/// assert_eq!(loss.into_scalar::<f32>(), 1.3125);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HuberLoss {
    config: HuberLossConfig,
}

impl HuberLoss {
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
        Ok(huber(input - target, self.config.delta))
    }
}

impl Elementwise for HuberLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}

/// Both branches in one: with `c` the difference cut to `-delta..=delta`, the loss is `c (d - c / 2)`.
/// No mask chooses between the branches, so the gradient is continuous where they meet and an
/// infinite difference costs no NaN.
pub(crate) fn huber<const D: usize>(difference: Tensor<D>, delta: f64) -> Tensor<D> {
    let cut = difference.clone().clamp(-delta, delta);
    cut.clone() * (difference - cut.mul_scalar(0.5))
}
