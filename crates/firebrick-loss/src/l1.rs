//! L1 (mean absolute error): `torch.nn.L1Loss`. Ours: Burn's `LpLoss` has no `none` reduction and
//! broadcasts silently, and nothing is left of it once those are fixed.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{LossError, Reduction, check};

const NAME: &str = "l1";

/// Arguments of [`L1Loss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct L1LossConfig {
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl L1LossConfig {
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
    pub fn init(&self) -> Result<L1Loss, LossError> {
        self.validate()?;
        Ok(L1Loss { config: self.clone() })
    }
}

/// `loss = |input - target|`, an element at a time.
///
/// The gradient is `sign(input - target)`, which is 0 where they are equal (and, as in torch, where
/// the difference is NaN).
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Source
///
/// `torch.nn.L1Loss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::L1LossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([1.0, 2.0, 5.0], &device);
/// let loss = L1LossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 2.0 / 3.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct L1Loss {
    config: L1LossConfig,
}

impl L1Loss {
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
        Ok((input - target).abs())
    }
}
