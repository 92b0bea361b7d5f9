//! TrivialAugment: one operation of a random strength.

use firebrick_component::{ArgumentError, Component, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::{Operation, apply_op};
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::policy::{RANDOM_OPERATIONS, WIDE, signed};
use super::working_image::WorkingImage;
use crate::random::below;
use crate::shape::ImageSize;

/// Arguments of `trivial_augment`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrivialAugmentConfig {
    /// Number of strengths that an operation may have, from none to the strongest; 2 to 1000.
    pub num_magnitude_bins: usize,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    pub interpolation: Interpolation,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    pub fill: Fill,
}

impl Default for TrivialAugmentConfig {
    fn default() -> Self {
        Self { num_magnitude_bins: 31, interpolation: Interpolation::Nearest, fill: Numbers::One(0) }
    }
}

impl TrivialAugmentConfig {
    /// Draws the operation and its magnitude, for an image of size `image`.
    pub fn draw(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> (Operation, f64) {
        let operation = RANDOM_OPERATIONS[below(generator, RANDOM_OPERATIONS.len() as u64) as usize];
        let bin = below(generator, self.num_magnitude_bins as u64) as usize;
        let magnitude = WIDE.magnitude(operation, bin, self.num_magnitude_bins, image);
        (operation, signed(magnitude, generator))
    }
}

impl Component for TrivialAugmentConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("num_magnitude_bins", self.num_magnitude_bins, 2, 1000)?;
        check_fill("fill", &self.fill)
    }
}

impl Transform for TrivialAugmentConfig {
    /// Does one operation.
    ///
    /// # Source
    ///
    /// torchvision `TrivialAugmentWide` on PIL images; Müller and Hutter, "TrivialAugment: Tuning-free Yet
    /// State-of-the-Art Data Augmentation", 2021, <https://arxiv.org/abs/2103.10158>.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let (operation, magnitude) = self.draw(image.size(), generator);
        let fill = fill_values(&self.fill, image.channels());
        apply_op(image, operation, magnitude, self.interpolation, &fill);
    }

    fn description(&self) -> String {
        format!("trivial_augment (num_magnitude_bins {})", self.num_magnitude_bins)
    }
}
