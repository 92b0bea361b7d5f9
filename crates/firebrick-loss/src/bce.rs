//! Binary cross-entropy of probabilities: `torch.nn.BCELoss`. Ours: Burn's takes integer targets and
//! the mean only, refuses weights of 0, and its gradient is NaN at exactly 0 and 1.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Session};
use crate::weight::BroadcastWeight;
use crate::{check, elementwise, numeric};

const NAME: &str = "bce";

/// torch cuts both logarithms off here, so that a certain and wrong prediction costs 100.
const LOG_FLOOR: f64 = -100.0;
/// torch's backward divides by at least this.
const GRADIENT_FLOOR: f64 = 1e-12;

/// Arguments of [`BceLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BceLossConfig {
    /// A factor for each element, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<BroadcastWeight>,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for BceLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        if let Some(weight) = &self.weight {
            weight.validate("weight")?;
        }
        self.reduction.validate()
    }
}

impl Loss for BceLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.BCELoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        Takes::Probabilities
    }

    fn classification(
        &self,
        num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        if let Some(weight) = &self.weight {
            weight.check_classes("weight", num_classes)?;
        }
        Ok(Some(elementwise::of_classes(BceLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }
}

impl BceLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<BceLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(BceLoss { config: self.clone() })
    }
}

/// `loss = -weight (t max(log(x), -100) + (1 - t) max(log(1 - x), -100))` for probabilities `x` and
/// targets `t`, both in 0..=1.
///
/// The gradient is torch's, `weight (x - t) / max(x (1 - x), 1e-12)`, also where the logarithms are
/// cut off.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again. `weight` broadcasts
/// to it.
///
/// # Training a classifier
///
/// The network gives a probability for each class by itself: it must end in a sigmoid (or a softmax). An output
/// outside 0..=1 makes the loss NaN, which ends a training. Targets are 1 for the class of an image and 0 for
/// the others, or soft. `weight` is one number, or one a class.
///
/// # Source
///
/// `torch.nn.BCELoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::BceLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.5, 0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0, 1.0], &device);
/// let loss = BceLossConfig::default().init()?.forward(input, target)?;
/// // (log(2) + 100) / 2
/// assert_eq!(loss.into_scalar::<f32>(), 50.346573);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BceLoss {
    config: BceLossConfig,
}

impl BceLoss {
    /// The reduced loss, shape `[1]`. Reads both inputs back to refuse what is outside 0..=1.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, an element is outside 0..=1, or `reduction` is
    /// `none`.
    pub fn forward<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The reduced loss for inputs known to be in 0..=1 (a sigmoid): checks shapes, types and
    /// devices only and never waits for the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward_trusted<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.losses(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each element, whatever `reduction` says. Reads both inputs back.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or an element is outside 0..=1.
    pub fn forward_unreduced<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        let losses = self.losses(input.clone(), target.clone())?;
        for (name, tensor) in [("input", &input), ("target", &target)] {
            let expected = "probabilities in 0..=1 (for logits use bce_with_logits)";
            check::floats(NAME, name, tensor, expected, |p| (0.0..=1.0).contains(&p))?;
        }
        Ok(losses)
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        let losses = binary_cross_entropy(input.clone(), target);
        match &self.config.weight {
            None => Ok(losses),
            Some(weight) => Ok(losses * weight.to_tensor(NAME, "weight", &input)?),
        }
    }
}

impl Elementwise for BceLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    /// An output outside 0..=1 makes the loss NaN, which the finite check of a training step refuses: nothing is
    /// read back to look at the values, and the logarithms' cut-off would hide it.
    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        let p = input.clone().inner();
        let outside = p.clone().lower_scalar(0.0).bool_or(p.greater_scalar(1.0));
        Ok(self.losses(input, target)?.mask_fill(outside, f32::NAN))
    }

    fn checked_losses<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}

fn binary_cross_entropy<const D: usize>(input: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
    let p = input.clone().inner();
    let log_p = p.clone().log().clamp_min(LOG_FLOOR);
    let log_not_p = p.clone().neg().log1p().clamp_min(LOG_FLOOR);
    let value = target.clone().sub_scalar(1.0) * log_not_p - target.clone() * log_p;
    if !input.is_tracked() {
        return value;
    }
    let variance = (p.clone() - p.clone().square()).clamp_min(GRADIENT_FLOOR);
    let gradient = (p - target.inner()) / variance;
    numeric::with_gradient(value, input, gradient)
}
