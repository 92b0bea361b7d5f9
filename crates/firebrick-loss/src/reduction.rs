//! How the losses of the elements become one number: torch's `reduction`.

use std::fmt;

use burn::tensor::Tensor;
use firebrick_component::ArgumentError;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::LossError;

/// How the losses of the elements become one number.
///
/// # Source
///
/// The `reduction` argument of every loss in `torch.nn`. torch's deprecated `size_average` and
/// `reduce` do not exist here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduction {
    /// No reduction: one loss an element (or a sample), which cannot be trained on.
    ///
    /// Only `forward_unreduced` can give it.
    None,
    /// The mean; for losses with class weights, the weighted mean. torch's default everywhere.
    #[default]
    Mean,
    /// The sum.
    Sum,
    /// The sum divided by the size of the first dimension. Only `kl_div` has it, as in torch.
    BatchMean,
}

impl Reduction {
    /// The name in a config file.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::BatchMean => "batchmean",
        }
    }

    /// Refuses `batchmean`, for every loss but `kl_div`.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for `reduction`.
    pub fn validate(self) -> Result<(), ArgumentError> {
        if self == Self::BatchMean {
            let got = "\"batchmean\" (which only kl_div has)";
            return Err(ArgumentError::new("reduction", "\"none\", \"mean\" or \"sum\"", got));
        }
        Ok(())
    }

    /// Refuses `none`, which is not one number.
    pub(crate) fn check_reduces(self, loss: &'static str) -> Result<(), LossError> {
        match self {
            Self::None => Err(LossError::Unreduced { loss }),
            Self::Mean | Self::Sum | Self::BatchMean => Ok(()),
        }
    }

    /// One number out of the losses of the elements.
    ///
    /// # Errors
    ///
    /// With [`Reduction::None`], which is not one number.
    pub(crate) fn reduce<const D: usize>(
        self,
        loss: &'static str,
        losses: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        match self {
            Self::None => Err(LossError::Unreduced { loss }),
            Self::Mean => Ok(losses.mean()),
            Self::Sum => Ok(losses.sum()),
            Self::BatchMean => {
                let batch = losses.dims()[0];
                // Not `div_scalar`: Burn's backward of it rounds the divisor's reciprocal to f32.
                Ok(losses.sum().mul_scalar(1.0 / batch as f64))
            }
        }
    }

    /// One number an image out of the losses of its elements, `[n, k]`, so that adding them up over a split
    /// gives what `reduce` would make of all of them at once: each image's mean, or its sum.
    ///
    /// # Errors
    ///
    /// With [`Reduction::None`], as [`reduce`](Self::reduce).
    pub(crate) fn reduce_images(
        self,
        loss: &'static str,
        losses_nk: Tensor<2>,
    ) -> Result<Tensor<1>, LossError> {
        let [count, _] = losses_nk.dims();
        let losses = match self {
            Self::None => return Err(LossError::Unreduced { loss }),
            Self::Mean => losses_nk.mean_dim(1),
            Self::Sum | Self::BatchMean => losses_nk.sum_dim(1),
        };
        Ok(losses.reshape([count]))
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Reduction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.as_str() {
            "none" => Ok(Self::None),
            "mean" => Ok(Self::Mean),
            "sum" => Ok(Self::Sum),
            "batchmean" => Ok(Self::BatchMean),
            other => Err(de::Error::custom(format!(
                "argument `reduction` must be \"none\", \"mean\" or \"sum\" (kl_div also \"batchmean\"), got \"{other}\""
            ))),
        }
    }
}
