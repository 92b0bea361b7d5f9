//! Random adjust sharpness: sharper or smoother, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::adjust_sharpness;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_adjust_sharpness`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomAdjustSharpnessConfig {
    /// 0 is smoothed, 1 the image, 2 sharpened; at least 0.
    pub sharpness_factor: f64,
    /// Probability of a change, 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl Component for RandomAdjustSharpnessConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("sharpness_factor", self.sharpness_factor)?;
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 changes nothing")
    }
}

impl Transform for RandomAdjustSharpnessConfig {
    /// Sharpens or smooths the image, or leaves it.
    ///
    /// # Source
    ///
    /// torchvision `RandomAdjustSharpness`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            adjust_sharpness(image, self.sharpness_factor);
        }
    }

    fn description(&self) -> String {
        format!("random_adjust_sharpness (factor {}, p {})", self.sharpness_factor, self.p)
    }
}
