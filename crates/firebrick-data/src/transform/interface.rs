//! What an augmentation is.

use firebrick_component::{ArgumentError, Component};
use rand_chacha::ChaCha8Rng;

use super::working_image::WorkingImage;
use crate::shape::ImageSize;

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

    /// The step in words, for people to read: `random_crop (padding 4)`.
    fn description(&self) -> String;
}
