//! Random apply: a list of steps, all of them or none.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::{SampleKey, Transform};
use super::steps::{self, IsStep};
use super::working_image::WorkingImage;
use crate::random::unit;
use crate::shape::ImageSize;

/// Arguments of `random_apply`; `Step` is any step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomApplyConfig<Step> {
    /// The augmentations, in this order.
    pub transforms: Vec<Step>,
    /// Probability that they are applied, 0 to 1.
    #[serde(default = "half")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl<Step: IsStep> Component for RandomApplyConfig<Step> {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)?;
        steps::validate(&self.transforms)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        match self.p > 0.0 {
            true => steps::without_effect(&self.transforms),
            false => vec![NoEffect::new("", "p = 0 applies nothing")],
        }
    }
}

impl<Step: IsStep> RandomApplyConfig<Step> {
    fn run(&self, generator: &mut ChaCha8Rng, mut apply: impl FnMut(&dyn Transform, &mut ChaCha8Rng)) {
        if unit(generator) < self.p {
            self.transforms.iter().for_each(|step| apply(&**step, generator));
        }
    }
}

impl<Step: IsStep> Transform for RandomApplyConfig<Step> {
    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        let mut size = input;
        for (index, step) in self.transforms.iter().enumerate() {
            size = steps::output_size(index, step, size)?;
        }
        // Applied or not: one size only if it is the same.
        Ok(size.filter(|size| Some(*size) == input))
    }

    /// Applies the steps, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomApply`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        self.run(generator, |step, generator| step.apply(image, generator));
    }

    fn apply_to_sample(&self, image: &mut WorkingImage, sample: &SampleKey, generator: &mut ChaCha8Rng) {
        self.run(generator, |step, generator| step.apply_to_sample(image, sample, generator));
    }

    fn description(&self) -> String {
        format!("random_apply (p {}): {}", self.p, steps::descriptions(&self.transforms))
    }
}
