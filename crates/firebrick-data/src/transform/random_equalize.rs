//! Random equalize: an even histogram for each channel, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::equalize;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_equalize`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomEqualizeConfig {
    /// Probability of a change, 0 to 1.
    pub p: f64,
}

impl Default for RandomEqualizeConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Component for RandomEqualizeConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 equalizes nothing")
    }
}

impl Transform for RandomEqualizeConfig {
    /// Equalizes the histogram, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomEqualize`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            equalize(image);
        }
    }

    fn description(&self) -> String {
        format!("random_equalize (p {})", self.p)
    }
}
