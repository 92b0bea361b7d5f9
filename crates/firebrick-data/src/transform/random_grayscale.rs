//! Random grayscale: the colours taken away, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::rgb_to_grayscale;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_grayscale`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomGrayscaleConfig {
    /// Probability of a grey image, 0 to 1.
    pub p: f64,
}

impl Default for RandomGrayscaleConfig {
    fn default() -> Self {
        Self { p: 0.1 }
    }
}

impl Component for RandomGrayscaleConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 takes no colours away")
    }
}

impl Transform for RandomGrayscaleConfig {
    /// Takes the colours away, or leaves the image. The number of channels stays.
    ///
    /// # Source
    ///
    /// torchvision `RandomGrayscale`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            rgb_to_grayscale(image);
        }
    }

    fn description(&self) -> String {
        format!("random_grayscale (p {})", self.p)
    }
}
