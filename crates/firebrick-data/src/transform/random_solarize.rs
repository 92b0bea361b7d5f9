//! Random solarize: bright values inverted, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::solarize;
use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::unit;

/// Arguments of `random_solarize`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomSolarizeConfig {
    /// Values from here on are inverted, 0 to 256.
    pub threshold: f64,
    /// Probability of a change, 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl Component for RandomSolarizeConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let fits = (0.0..=256.0).contains(&self.threshold);
        check::that(fits, "threshold", self.threshold, "a number from 0 to 256")?;
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 changes nothing")
    }
}

impl Transform for RandomSolarizeConfig {
    /// Inverts bright values, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomSolarize`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            solarize(image, self.threshold);
        }
    }

    fn description(&self) -> String {
        format!("random_solarize (threshold {}, p {})", self.threshold, self.p)
    }
}
