//! Soft margin (logistic loss of a signed target): `torch.nn.SoftMarginLoss`. Ours: Burn's is the
//! stable softplus, which stays finite where torch overflows to infinity; this one is torch's.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{LossError, Reduction, check};

const NAME: &str = "soft_margin";

/// Arguments of [`SoftMarginLoss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoftMarginLossConfig {
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl SoftMarginLossConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// If `reduction` is `batchmean`.
    pub fn validate(&self) -> Result<(), LossError> {
        self.reduction.validate(NAME)
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<SoftMarginLoss, LossError> {
        self.validate()?;
        Ok(SoftMarginLoss { config: self.clone() })
    }
}

/// `loss = log(1 + exp(-target * input))`, an element at a time; targets are 1 or -1.
///
/// As in torch the exponential overflows in f32 when `-target * input` passes 88: the loss is then
/// infinite and its gradient NaN. `bce_with_logits` is the stable form of the same loss.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Source
///
/// `torch.nn.SoftMarginLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::SoftMarginLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0], &device);
/// let loss = SoftMarginLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SoftMarginLoss {
    config: SoftMarginLossConfig,
}

impl SoftMarginLoss {
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
        Ok((target.neg() * input).exp().log1p())
    }
}
