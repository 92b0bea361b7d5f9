//! Binary cross-entropy of probabilities: `torch.nn.BCELoss`. Ours: Burn's takes integer targets and
//! the mean only, refuses weights of 0, and its gradient is NaN at exactly 0 and 1.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{BroadcastWeight, LossError, Reduction, check, numeric};

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

impl BceLossConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or `reduction` is `batchmean`.
    pub fn validate(&self) -> Result<(), LossError> {
        if let Some(weight) = &self.weight {
            check::weights(NAME, "weight", weight.values())?;
        }
        self.reduction.validate(NAME)
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<BceLoss, LossError> {
        self.validate()?;
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
