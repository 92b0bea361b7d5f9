//! AutoAugment: a pair of operations, of those that were learned on a data set.

use firebrick_component::{ArgumentError, Component};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::{Operation, apply_op};
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::policy::{AUTO, Policy, signed};
use super::working_image::WorkingImage;
use crate::random::{below, unit};
use crate::shape::ImageSize;

/// Strengths of an operation.
const NUM_BINS: usize = 10;

/// Arguments of `auto_augment`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoAugmentConfig {
    /// The data set that the policy was learned on: `"imagenet"`, `"cifar10"` or `"svhn"`.
    pub policy: Policy,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    pub interpolation: Interpolation,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    pub fill: Fill,
}

impl Default for AutoAugmentConfig {
    fn default() -> Self {
        let interpolation = Interpolation::Nearest;
        Self { policy: Policy::default(), interpolation, fill: Numbers::One(0) }
    }
}

impl AutoAugmentConfig {
    /// Draws the pair, and which of its operations are done with which magnitudes, for an image of size `image`.
    pub fn draw(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> [Option<(Operation, f64)>; 2] {
        let pairs = self.policy.pairs();
        let pair = pairs[below(generator, pairs.len() as u64) as usize];
        pair.map(|(operation, probability, bin)| {
            let is_done = unit(generator) < probability;
            let magnitude = signed(AUTO.magnitude(operation, bin, NUM_BINS, image), generator);
            is_done.then_some((operation, magnitude))
        })
    }
}

impl Component for AutoAugmentConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_fill("fill", &self.fill)
    }
}

impl Transform for AutoAugmentConfig {
    /// Does a pair of operations, or one or none of them.
    ///
    /// # Source
    ///
    /// torchvision `AutoAugment` on PIL images; Cubuk and others, "AutoAugment: Learning Augmentation Strategies from
    /// Data", 2018, <https://arxiv.org/abs/1805.09501>.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let fill = fill_values(&self.fill, image.channels());
        for (operation, magnitude) in self.draw(image.size(), generator).into_iter().flatten() {
            apply_op(image, operation, magnitude, self.interpolation, &fill);
        }
    }

    fn description(&self) -> String {
        format!("auto_augment ({})", self.policy.name())
    }
}
