//! Random horizontal flip: left becomes right, half of the time.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::hflip;
use super::interface::{SampleKey, Transform};
use super::working_image::WorkingImage;
use crate::random::{Purpose, generator, unit};

/// Arguments of `random_horizontal_flip`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomHorizontalFlipConfig {
    /// Probability of a flip, 0 to 1.
    pub p: f64,
    /// Flip every image in every second epoch, and by chance in the first one, so that two epochs show each image both ways.
    #[serde(skip_serializing_if = "is_false")]
    pub alternate: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl Default for RandomHorizontalFlipConfig {
    fn default() -> Self {
        Self { p: 0.5, alternate: false }
    }
}

impl Component for RandomHorizontalFlipConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)?;
        check::that(!self.alternate || self.p == 0.5, "p", self.p, "0.5 beside alternate = true")
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
            hflip(image);
        }
    }

    /// With `alternate` the flip is a function of the seed and the sample in the first epoch, and then changes
    /// from one epoch to the next.
    ///
    /// # Source
    ///
    /// Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, <https://arxiv.org/abs/2404.00498>.
    fn apply_to_sample(&self, image: &mut WorkingImage, sample: &SampleKey, rng: &mut ChaCha8Rng) {
        if !self.alternate {
            return self.apply(image, rng);
        }
        let mut first = generator(sample.seed, Purpose::AlternateFlip, sample.index, 0);
        if (unit(&mut first) < 0.5) ^ (sample.epoch % 2 == 1) {
            hflip(image);
        }
    }

    fn description(&self) -> String {
        if self.alternate {
            return "random_horizontal_flip (alternate)".to_owned();
        }
        format!("random_horizontal_flip (p {})", self.p)
    }
}
