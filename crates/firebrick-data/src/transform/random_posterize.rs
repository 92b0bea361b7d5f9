//! Random posterize: fewer bits for each value, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::posterize;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_posterize`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomPosterizeConfig {
    /// Bits that are kept of every value, 1 to 8.
    pub bits: u32,
    /// Probability of a change, 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl Component for RandomPosterizeConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("bits", self.bits as usize, 1, 8)?;
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 changes nothing")
    }
}

impl Transform for RandomPosterizeConfig {
    /// Keeps the upper bits, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomPosterize`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            posterize(image, self.bits);
        }
    }

    fn description(&self) -> String {
        format!("random_posterize (bits {}, p {})", self.bits, self.p)
    }
}
