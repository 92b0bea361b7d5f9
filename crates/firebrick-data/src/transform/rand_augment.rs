//! RandAugment: a few operations of one strength.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::{Operation, apply_op};
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::policy::{AUTO, RANDOM_OPERATIONS, signed};
use super::working_image::WorkingImage;
use crate::random::below;
use crate::shape::ImageSize;

/// Arguments of `rand_augment`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandAugmentConfig {
    /// Number of operations, one after another; the same one may come again.
    pub num_ops: usize,
    /// Strength of all operations: the number of a bin, from 0 to below `num_magnitude_bins`.
    pub magnitude: usize,
    /// Number of strengths that an operation may have, from none to the strongest; 2 to 1000.
    pub num_magnitude_bins: usize,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    pub interpolation: Interpolation,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    pub fill: Fill,
}

impl Default for RandAugmentConfig {
    fn default() -> Self {
        Self {
            num_ops: 2,
            magnitude: 9,
            num_magnitude_bins: 31,
            interpolation: Interpolation::Nearest,
            fill: Numbers::One(0),
        }
    }
}

impl RandAugmentConfig {
    /// Draws one operation and its magnitude, for an image of size `image`.
    pub fn draw(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> (Operation, f64) {
        let operation = RANDOM_OPERATIONS[below(generator, RANDOM_OPERATIONS.len() as u64) as usize];
        let magnitude = AUTO.magnitude(operation, self.magnitude, self.num_magnitude_bins, image);
        (operation, signed(magnitude, generator))
    }
}

impl Component for RandAugmentConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("num_ops", self.num_ops, 0, 100)?;
        check::in_range("num_magnitude_bins", self.num_magnitude_bins, 2, 1000)?;
        check::in_range("magnitude", self.magnitude, 0, self.num_magnitude_bins - 1)?;
        check_fill("fill", &self.fill)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.num_ops > 0, "", "num_ops = 0 changes nothing")
    }
}

impl Transform for RandAugmentConfig {
    /// Does the operations.
    ///
    /// # Source
    ///
    /// torchvision `RandAugment` on PIL images; Cubuk and others, "RandAugment: Practical automated data
    /// augmentation with a reduced search space", 2019, <https://arxiv.org/abs/1909.13719>.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let fill = fill_values(&self.fill, image.channels());
        for _ in 0..self.num_ops {
            let (operation, magnitude) = self.draw(image.size(), generator);
            apply_op(image, operation, magnitude, self.interpolation, &fill);
        }
    }

    fn description(&self) -> String {
        format!("rand_augment (num_ops {}, magnitude {})", self.num_ops, self.magnitude)
    }
}
