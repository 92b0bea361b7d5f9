//! Hinge embedding: `torch.nn.HingeEmbeddingLoss`. Ours: Burn's has a gradient at the hinge itself,
//! treats every target but 1 as -1, and has no `none`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::numeric::positive_part;
use crate::{LossError, Reduction, check};

const NAME: &str = "hinge_embedding";

/// Arguments of [`HingeEmbeddingLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HingeEmbeddingLossConfig {
    /// How far apart a dissimilar pair should be. Default 1.
    pub margin: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for HingeEmbeddingLossConfig {
    fn default() -> Self {
        Self { margin: 1.0, reduction: Reduction::Mean }
    }
}

impl HingeEmbeddingLossConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// If `margin` is not a number, or `reduction` is `batchmean`.
    pub fn validate(&self) -> Result<(), LossError> {
        check::argument(NAME, "margin", self.margin, "a number", f64::is_finite)?;
        self.reduction.validate(NAME)
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<HingeEmbeddingLoss, LossError> {
        self.validate()?;
        Ok(HingeEmbeddingLoss { config: self.clone() })
    }
}

/// `loss = input` where `target = 1`, `max(0, margin - input)` where `target = -1`; where the target
/// is neither, the sum of both (as torch does).
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Source
///
/// `torch.nn.HingeEmbeddingLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::HingeEmbeddingLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.5, 0.25], &device);
/// let target = Tensor::<1>::from_floats([1.0, -1.0], &device);
/// let loss = HingeEmbeddingLossConfig::default().init()?.forward(input, target)?;
/// // (0.5 + (1 - 0.25)) / 2
/// assert_eq!(loss.into_scalar::<f32>(), 0.625);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HingeEmbeddingLoss {
    config: HingeEmbeddingLossConfig,
}

impl HingeEmbeddingLoss {
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
        let similar = target.clone().equal_scalar(1.0);
        let dissimilar = target.equal_scalar(-1.0);
        let hinge = positive_part(input.clone().neg().add_scalar(self.config.margin));
        Ok(hinge.mask_fill(similar, 0.0) + input.mask_fill(dissimilar, 0.0))
    }
}
