//! Random vertical flip: top becomes bottom, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::vflip;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_vertical_flip`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomVerticalFlipConfig {
    /// Probability of a flip, 0 to 1.
    pub p: f64,
}

impl Default for RandomVerticalFlipConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Component for RandomVerticalFlipConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 flips nothing")
    }
}

impl Transform for RandomVerticalFlipConfig {
    /// Flips the image, or leaves it.
    ///
    /// # Source
    ///
    /// torchvision `RandomVerticalFlip`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            vflip(image);
        }
    }

    fn description(&self) -> String {
        format!("random_vertical_flip (p {})", self.p)
    }
}
