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
/// There is one definition of the loss of a set of images, be they a batch, a split, or the batches of a step:
/// the sum of [`per_image`](Self::per_image) over all of them, divided by the [`divisor`](Self::divisor) of all of
/// them. torch's criterion gives the same for all images at once.
///
/// # Shapes
///
/// `outputs_nk` are what the network gives, `[n, k]` for `n` images and `k` classes. Whether they are logits,
/// probabilities or log-probabilities is the loss's to say.
pub trait ClassificationLoss: Debug + Send + Sync {
    /// The reduced loss, `[1]`: the sum of [`per_image`](Self::per_image) divided by the
    /// [`divisor`](Self::divisor) of these images. Labels were checked when they were read; nothing is read back
    /// from the device.
    ///
    /// # Errors
    ///
    /// [`LossError`] if shapes, element types or devices do not fit, or if the loss does not take this kind of
    /// targets.
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError>;

    /// What each image adds to the loss, `[n]`, before the division. The weight of its class is in it.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError>;

    /// How much an image of the class `label` counts in a weighted mean: 1, or the weight of the class; 0 if the
    /// class is ignored. An image whose target is probabilities always counts 1, as in torch.
    fn weight(&self, label: usize) -> f64 {
        let _ = label;
        1.0
    }

    /// What the sum over these images is divided by. It is 0 where no image counts, and the loss is then NaN, as
    /// in torch.
    fn divisor(&self, counted: Counted) -> f64;
}

/// The images that a loss is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// Sum of their weights.
    pub weights: f64,
    /// How many they are.
    pub images: usize,
}

impl Counted {
    /// Images that count 1 each.
    pub fn unweighted(images: usize) -> Self {
        Self { weights: images as f64, images }
    }

    /// These images and others.
    pub fn and(self, others: Self) -> Self {
        Self { weights: self.weights + others.weights, images: self.images + others.images }
    }

    /// What `reduction` divides by, as torch does: the sum of the weights, 1, or the number of images.
    ///
    /// # Panics
    ///
    /// With [`Reduction::None`], which [`LossConfig::for_classes`](crate::LossConfig::for_classes) refuses.
    pub fn divisor(self, reduction: Reduction) -> f64 {
        match reduction {
            Reduction::Mean => self.weights,
            Reduction::Sum => 1.0,
            Reduction::BatchMean => self.images as f64,
            Reduction::None => unreachable!("bug: a loss without a reduction trains a classifier"),
        }
    }
}
