//! What a batch transform is.

use firebrick_component::Component;
use rand_chacha::ChaCha8Rng;

use crate::batch::HostTargets;

/// A batch that transforms change in place: normalised images and what they are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct MutableBatch {
    /// The images one after another, each channel by channel, row by row.
    pub images: Vec<f32>,
    /// Images, channels, height, width.
    pub shape: [usize; 4],
    /// A class or the classes' probabilities for each image.
    pub targets: HostTargets,
    /// Number of classes of the data set.
    pub num_classes: usize,
}

impl MutableBatch {
    /// Number of values in one image.
    pub fn values_per_image(&self) -> usize {
        let [_, channels, height, width] = self.shape;
        channels * height * width
    }
}

/// One step of a training batch's preparation, after normalisation.
///
/// A step is a pure function of (batch, generator). The generator is keyed by (seed, epoch, number of the
/// batch in the epoch), so what a batch becomes does not depend on the worker that makes it, nor on
/// whether the run was resumed.
pub trait BatchTransform: Component {
    /// Changes images and targets by what the generator says. The number of images and their shape stay.
    fn apply(&self, batch: &mut MutableBatch, generator: &mut ChaCha8Rng);

    /// True when targets may become probabilities: a loss that takes class indices alone cannot follow.
    fn gives_probabilities(&self) -> bool;

    /// The step in words, for people to read: `mixup (alpha 0.2, p 1)`.
    fn description(&self) -> String;
}
