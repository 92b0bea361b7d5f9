//! Multi-label soft margin (binary cross-entropy of each class): `torch.nn.MultiLabelSoftMarginLoss`.
//! Ours: Burn has none.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::numeric::log_sigmoid;
use crate::{BroadcastWeight, LossError, Reduction, check};

const NAME: &str = "multilabel_soft_margin";

/// Arguments of [`MultilabelSoftMarginLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultilabelSoftMarginLossConfig {
    /// A factor for each class, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<BroadcastWeight>,
    /// How the samples' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl MultilabelSoftMarginLossConfig {
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
    pub fn init(&self) -> Result<MultilabelSoftMarginLoss, LossError> {
        self.validate()?;
        Ok(MultilabelSoftMarginLoss { config: self.clone() })
    }
}

/// `loss = -1 / C * sum over c of weight[c] (t[c] log(sigmoid(x[c])) + (1 - t[c]) log(sigmoid(-x[c])))`
/// for logits `x` and targets `t`, each 0 or 1.
///
/// # Shapes
///
/// `input` and `target` `[N, C]`; unreduced `[N]`. One sample is `[1, C]`. `weight` broadcasts to the
/// input.
///
/// # Source
///
/// `torch.nn.MultiLabelSoftMarginLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::MultilabelSoftMarginLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
/// let target = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let loss = MultilabelSoftMarginLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MultilabelSoftMarginLoss {
    config: MultilabelSoftMarginLossConfig,
}

impl MultilabelSoftMarginLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward(&self, input: Tensor<2>, target: Tensor<2>) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each sample, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced(&self, input: Tensor<2>, target: Tensor<2>) -> Result<Tensor<1>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        let [count, num_classes] = input.dims();
        let present = target.clone() * log_sigmoid(input.clone());
        let absent = target.neg().add_scalar(1.0) * log_sigmoid(input.clone().neg());
        let mut losses = (present + absent).neg();
        if let Some(weight) = &self.config.weight {
            losses = losses * weight.to_tensor(NAME, "weight", &input)?;
        }
        let sums = losses.sum_dim(1).reshape([count]);
        Ok(sums.mul_scalar(1.0 / num_classes as f64))
    }
}
