//! Smooth L1: `torch.nn.SmoothL1Loss`. Ours: Burn's panics at `beta = 0` (where torch gives L1),
//! keeps `beta` in f32 and takes no `none`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::huber::huber;
use crate::{LossError, Reduction, check};

const NAME: &str = "smooth_l1";

/// Arguments of [`SmoothL1Loss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmoothL1LossConfig {
    /// Where the loss turns from squared to linear, 0 or above; 0 is L1. Default 1.
    pub beta: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for SmoothL1LossConfig {
    fn default() -> Self {
        Self { beta: 1.0, reduction: Reduction::Mean }
    }
}

impl SmoothL1LossConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// If `beta` is below 0 or not a number, or `reduction` is `batchmean`.
    pub fn validate(&self) -> Result<(), LossError> {
        check::argument(NAME, "beta", self.beta, "a number, 0 or above", |beta| {
            beta >= 0.0 && beta.is_finite()
        })?;
        self.reduction.validate(NAME)
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<SmoothL1Loss, LossError> {
        self.validate()?;
        Ok(SmoothL1Loss { config: self.clone() })
    }
}

/// Huber's loss divided by `beta`: with `d = input - target`,
/// `loss = d^2 / (2 beta)` where `|d| < beta`, otherwise `|d| - beta / 2`.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Source
///
/// `torch.nn.SmoothL1Loss`; Girshick, "Fast R-CNN" (2015), equation 3, page 3.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::SmoothL1LossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::ones([2, 2], &device);
/// let target = Tensor::<2>::from_floats([[0.0, 1.0], [2.0, 3.0]], &device);
/// let loss = SmoothL1LossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 0.625);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SmoothL1Loss {
    config: SmoothL1LossConfig,
}

impl SmoothL1Loss {
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
        let difference = input - target;
        let beta = self.config.beta;
        if beta == 0.0 {
            return Ok(difference.abs());
        }
        // Not `div_scalar`: Burn's backward of it rounds 1 / beta to f32, also for f64 tensors.
        Ok(huber(difference, beta).mul_scalar(1.0 / beta))
    }
}
