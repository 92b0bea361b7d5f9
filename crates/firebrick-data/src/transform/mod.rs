//! What happens to an image between the file and the tensor.
//!
//! ```text
//! image -> channels -> resize -> [augmentations, training only] -> / 255 -> normalise -> f32
//!          \_______________________________ pixels, one byte ___/
//! ```
//!
//! Every step is torchvision's on PIL images, to the last bit where no chance is involved. One
//! file each; [`Preprocess`] is the part without chance, [`AugmentConfig`] the part with it.

mod channels;
mod error;
mod normalize;
mod preprocess;
pub mod random_crop;
pub mod random_horizontal_flip;
mod resize;
mod working_image;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize};

pub use error::TransformError;
pub use normalize::PixelTable;
pub use preprocess::Preprocess;
pub use random_crop::{PaddingMode, RandomCropConfig};
pub use random_horizontal_flip::RandomHorizontalFlipConfig;
pub use working_image::WorkingImage;

use crate::{DataError, InputShape};

/// One augmentation of the training images, by name with its arguments.
///
/// Each is a pure function of (image, generator), and the generator is keyed by (seed, epoch,
/// sample), so an image's augmentation does not depend on who computes it or when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum AugmentConfig {
    /// See [`random_crop`].
    RandomCrop(RandomCropConfig),
    /// See [`random_horizontal_flip`].
    RandomHorizontalFlip(RandomHorizontalFlipConfig),
}

impl AugmentConfig {
    /// The names a config may use.
    pub const NAMES: &'static [&'static str] = &["random_crop", "random_horizontal_flip"];

    /// This one's name in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RandomCrop(_) => "random_crop",
            Self::RandomHorizontalFlip(_) => "random_horizontal_flip",
        }
    }

    /// Reads the arguments of the augmentation called `name`, which are everything but the name
    /// itself; `None` when there is no such augmentation.
    ///
    /// # Errors
    ///
    /// The deserialiser's own, with the place in the file, for unknown or ill-typed arguments.
    pub fn deserialize_named<'de, D: Deserializer<'de>>(
        name: &str,
        arguments: D,
    ) -> Option<Result<Self, D::Error>> {
        Some(match name {
            "random_crop" => RandomCropConfig::deserialize(arguments).map(Self::RandomCrop),
            "random_horizontal_flip" => {
                RandomHorizontalFlipConfig::deserialize(arguments).map(Self::RandomHorizontalFlip)
            }
            _ => return None,
        })
    }

    /// Whether the arguments make sense, as far as that shows without the image size.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`], naming the argument.
    pub fn validate(&self) -> Result<(), DataError> {
        match self {
            Self::RandomCrop(config) => config.validate(usize::MAX, usize::MAX),
            Self::RandomHorizontalFlip(config) => config.validate(),
        }
    }

    /// Whether it can be done to images of the model's shape.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`], naming the argument.
    pub fn validate_for(&self, input: &InputShape) -> Result<(), DataError> {
        match self {
            Self::RandomCrop(config) => config.validate(input.height, input.width),
            Self::RandomHorizontalFlip(config) => config.validate(),
        }
    }

    /// Changes the image by what the generator says. Its shape stays.
    pub fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        match self {
            Self::RandomCrop(config) => config.apply(image, generator),
            Self::RandomHorizontalFlip(config) => config.apply(image, generator),
        }
    }

    /// The step in words, for people to read.
    pub fn description(&self) -> String {
        match self {
            Self::RandomCrop(config) => format!("random_crop (padding {})", config.padding),
            Self::RandomHorizontalFlip(config) => format!("random_horizontal_flip (p {})", config.p),
        }
    }
}
