//! Random invert: the colours inverted, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::invert;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_invert`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomInvertConfig {
    /// Probability of an inverted image, 0 to 1.
    pub p: f64,
}

impl Default for RandomInvertConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Component for RandomInvertConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 inverts nothing")
    }
}

impl Transform for RandomInvertConfig {
    /// Inverts the colours, or leaves them.
    ///
    /// # Source
    ///
    /// torchvision `RandomInvert`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            invert(image);
        }
    }

    fn description(&self) -> String {
        format!("random_invert (p {})", self.p)
    }
}
