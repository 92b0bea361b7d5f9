//! Huber: `torch.nn.HuberLoss`. Ours: Burn's keeps `delta` in f32, accepts 0 and has no `none`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{LossError, Reduction, check};

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

impl HuberLossConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// If `delta` is not a number above 0, or `reduction` is `batchmean`.
    pub fn validate(&self) -> Result<(), LossError> {
        check::argument(NAME, "delta", self.delta, "a number above 0", |delta| delta > 0.0)?;
        self.reduction.validate(NAME)
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<HuberLoss, LossError> {
        self.validate()?;
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

/// Both branches in one: with `c` the difference cut to `-delta..=delta`, the loss is `c (d - c / 2)`.
/// No mask chooses between the branches, so the gradient is continuous where they meet and an
/// infinite difference costs no NaN.
pub(crate) fn huber<const D: usize>(difference: Tensor<D>, delta: f64) -> Tensor<D> {
    let cut = difference.clone().clamp(-delta, delta);
    cut.clone() * (difference - cut.mul_scalar(0.5))
}
