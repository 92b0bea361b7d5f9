//! Random horizontal flip: left becomes right, half of the time.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_horizontal_flip`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomHorizontalFlipConfig {
    /// Probability of a flip, 0 to 1.
    pub p: f64,
}

impl Default for RandomHorizontalFlipConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Component for RandomHorizontalFlipConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 flips nothing")
    }
}

impl Transform for RandomHorizontalFlipConfig {
    /// Flips the image, or leaves it.
    ///
    /// # Source
    ///
    /// torchvision `RandomHorizontalFlip`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            flip(image);
        }
    }

    fn description(&self) -> String {
        format!("random_horizontal_flip (p {})", self.p)
    }
}

/// Mirrors every row: left becomes right. Twice is nothing.
pub fn flip(image: &mut WorkingImage) {
    let width = image.width();
    if width > 1 {
        image.pixels_mut().chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}
