//! Binary cross-entropy of logits: `torch.nn.BCEWithLogitsLoss`. Ours: Burn's takes integer targets
//! and the mean only, and has no `pos_weight`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::numeric::log_sigmoid;
use crate::{BroadcastWeight, LossError, Reduction, check};

const NAME: &str = "bce_with_logits";

/// Arguments of [`BceWithLogitsLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BceWithLogitsLossConfig {
    /// A factor for each element, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<BroadcastWeight>,
    /// A factor for positive targets, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pos_weight: Option<BroadcastWeight>,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl BceWithLogitsLossConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or `reduction` is `batchmean`.
    pub fn validate(&self) -> Result<(), LossError> {
        if let Some(weight) = &self.weight {
            check::weights(NAME, "weight", weight.values())?;
        }
        if let Some(weight) = &self.pos_weight {
            check::weights(NAME, "pos_weight", weight.values())?;
        }
        self.reduction.validate(NAME)
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<BceWithLogitsLoss, LossError> {
        self.validate()?;
        Ok(BceWithLogitsLoss { config: self.clone() })
    }
}

/// `loss = -weight (pos_weight t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))` for logits `x` and
/// targets `t`, computed as torch does: `(1 - t) x - (1 + (pos_weight - 1) t) log(sigmoid(x))`.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again. `weight` and
/// `pos_weight` broadcast to it.
///
/// # Source
///
/// `torch.nn.BCEWithLogitsLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::BceWithLogitsLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0], &device);
/// let loss = BceWithLogitsLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BceWithLogitsLoss {
    config: BceWithLogitsLossConfig,
}

impl BceWithLogitsLoss {
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
        let mut log_probability = log_sigmoid(input.clone());
        if let Some(weight) = &self.config.pos_weight {
            let excess = weight.to_tensor(NAME, "pos_weight", &input)?.sub_scalar(1.0);
            log_probability = log_probability * (excess * target.clone()).add_scalar(1.0);
        }
        let losses = target.neg().add_scalar(1.0) * input.clone() - log_probability;
        match &self.config.weight {
            None => Ok(losses),
            Some(weight) => Ok(losses * weight.to_tensor(NAME, "weight", &input)?),
        }
    }
}
