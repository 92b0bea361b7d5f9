//! Random autocontrast: each channel stretched to all values, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::autocontrast;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_autocontrast`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomAutocontrastConfig {
    /// Probability of a change, 0 to 1.
    pub p: f64,
}

impl Default for RandomAutocontrastConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Component for RandomAutocontrastConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 changes no contrast")
    }
}

impl Transform for RandomAutocontrastConfig {
    /// Stretches the channels, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomAutocontrast`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            autocontrast(image);
        }
    }

    fn description(&self) -> String {
        format!("random_autocontrast (p {})", self.p)
    }
}
