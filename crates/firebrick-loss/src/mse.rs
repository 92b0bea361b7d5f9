//! Mean squared error: `torch.nn.MSELoss`. Burn's `MseLoss` does the arithmetic; it gives the golden
//! numbers once the shapes are checked and `none` is added.

use burn::nn::loss::MseLoss as BurnMseLoss;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{LossError, Reduction, check};

const NAME: &str = "mse";

/// Arguments of [`MseLoss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MseLossConfig {
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl MseLossConfig {
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
    pub fn init(&self) -> Result<MseLoss, LossError> {
        self.validate()?;
        Ok(MseLoss { config: self.clone() })
    }
}

/// `loss = (input - target)^2`, an element at a time.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
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
