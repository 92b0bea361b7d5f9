//! What training and evaluating a classifier ask of a loss.

use std::fmt::Debug;

use burn::tensor::Tensor;

use crate::error::LossError;
use crate::reduction::Reduction;
use crate::targets::Targets;

/// A loss that can train a classifier.
///
/// The trait is open: a program implements it for a loss of its own, together with [`Loss`](crate::Loss) for
/// its config.
///
/// # Shapes
///
/// `outputs_nk` are what the network gives, `[n, k]` for `n` images and `k` classes. Whether they are logits,
/// probabilities or log-probabilities is the loss's to say.
pub trait ClassificationLoss: Debug + Send + Sync {
    /// The reduced loss, `[1]`. Labels were checked when they were read; nothing is read back from the device.
    ///
    /// # Errors
    ///
    /// [`LossError`] if shapes, element types or devices do not fit, or if the loss does not take this kind of
    /// targets.
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError>;

    /// One number an image, so that an evaluation can add them up over the batches of a split, of whatever
    /// sizes: [`over_split`](Self::over_split) makes of the sums what [`forward`](Self::forward) would make of
    /// all images at once.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<PerImage, LossError>;

    /// The loss of a whole split.
    fn over_split(&self, sums: SplitSums) -> f64;
}

/// A loss, image by image.
#[derive(Clone, Debug)]
pub struct PerImage {
    /// What each image adds to the loss, `[n]`, with its weight in it.
    pub losses_n: Tensor<1>,
    /// What each image adds to the number that the mean divides by, `[n]`: 1, or the weight of its class; 0 for
    /// an image that is ignored.
    pub weights_n: Tensor<1>,
}

impl PerImage {
    /// Losses of images that all count the same.
    pub fn unweighted(losses_n: Tensor<1>) -> Self {
        Self { weights_n: losses_n.clone().inner().ones_like(), losses_n }
    }
}

/// What the batches of a split add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SplitSums {
    /// Sum of [`PerImage::losses_n`].
    pub losses: f64,
    /// Sum of [`PerImage::weights_n`].
    pub weights: f64,
    /// How many images there were.
    pub images: usize,
}

impl SplitSums {
    /// What `reduction` makes of the sums, as torch does: the weighted mean (NaN where all weights are 0), the
    /// sum, or the sum divided by the number of images.
    ///
    /// # Panics
    ///
    /// With [`Reduction::None`], which [`LossConfig::for_classes`](crate::LossConfig::for_classes) refuses.
    pub fn reduced(self, reduction: Reduction) -> f64 {
        match reduction {
            Reduction::Mean => self.losses / self.weights,
            Reduction::Sum => self.losses,
            Reduction::BatchMean => self.losses / self.images as f64,
            Reduction::None => unreachable!("bug: a loss without a reduction evaluates a classifier"),
        }
    }
}
