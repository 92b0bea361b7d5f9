//! What an augmentation is.

use firebrick_component::{ArgumentError, Component};
use rand_chacha::ChaCha8Rng;

use super::working_image::WorkingImage;
use crate::random::{Purpose, generator};
use crate::shape::ImageSize;

/// Which image of a run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleKey {
    /// The run's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u64,
    /// The sample's index in its split.
    pub index: u64,
    /// How often the sample has come before in its epoch: with repeated augmentation, otherwise 0.
    pub repeat: u64,
}

impl SampleKey {
    /// The generator of the image's augmentation.
    pub fn generator(&self) -> ChaCha8Rng {
        let mut generator = generator(self.seed, Purpose::Augment, self.epoch, self.index);
        // Stream 0 is the one that a fresh generator has.
        generator.set_stream(self.repeat);
        generator
    }
}

/// One step of the training images' preparation, on pixels of one byte.
///
/// A step is a pure function of (image, generator). The generator is keyed by (seed, epoch, sample), so
/// what an image becomes does not depend on who computes it or when; a step may draw from it as often
/// as it likes. `validate` checks the arguments by themselves, [`Transform::output_size`] against the
/// images that come in.
pub trait Transform: Component {
    /// True for a step that decides how large images are, such as `resize`. Where a list has such a
    /// step, training images are not resized automatically before it.
    fn sets_size(&self) -> bool {
        false
    }

    /// Whether the step draws from its generator. One that does not gives the same image in each epoch.
    fn is_random(&self) -> bool {
        true
    }

    /// Height and width of what comes out for images of size `input`; `None` where not all images
    /// have one size. As it came in, unless said otherwise.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for an argument that does not fit the size.
    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        Ok(input)
    }

    /// Changes the image by what the generator says. Its number of channels stays, and its size
    /// becomes what [`Transform::output_size`] promises.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng);

    /// As [`Transform::apply`], for a step that has to know which image it is: one that does something in every second
    /// epoch, and blocks, which hand it on. The generator is that of [`SampleKey::generator`].
    fn apply_to_sample(&self, image: &mut WorkingImage, sample: &SampleKey, generator: &mut ChaCha8Rng) {
        let _ = sample;
        self.apply(image, generator);
    }

    /// The step in words, for people to read: `random_crop (padding 4)`.
    fn description(&self) -> String;
}
