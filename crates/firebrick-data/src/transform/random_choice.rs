//! Random choice: one step of a list.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::{SampleKey, Transform};
use super::steps::{self, IsStep};
use super::working_image::WorkingImage;
use crate::random::{check_weights, weighted};
use crate::shape::ImageSize;

/// Arguments of `random_choice`; `Step` is any step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomChoiceConfig<Step> {
    /// The augmentations, one of which is applied to an image.
    pub transforms: Vec<Step>,
    /// How likely each of them is, compared with the others; all alike when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<Vec<f64>>,
}

impl<Step: IsStep> RandomChoiceConfig<Step> {
    /// Draws the number of a step.
    pub fn draw(&self, generator: &mut ChaCha8Rng) -> usize {
        weighted(generator, self.p.as_deref(), self.transforms.len())
    }
}

impl<Step: IsStep> Component for RandomChoiceConfig<Step> {
    fn validate(&self) -> Result<(), ArgumentError> {
        steps::validate(&self.transforms)?;
        let Some(weights) = &self.p else { return Ok(()) };
        let expected = format!("{} numbers >= 0, one a transform, not all of them 0", self.transforms.len());
        let fits = weights.len() == self.transforms.len() && check_weights(weights);
        check::that(fits, "p", format!("{weights:?}"), expected)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        steps::without_effect(&self.transforms)
    }
}

impl<Step: IsStep> Transform for RandomChoiceConfig<Step> {
    fn sets_size(&self) -> bool {
        self.transforms.iter().all(|step| step.sets_size())
    }

    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        let sizes: Vec<Option<ImageSize>> = (self.transforms.iter().enumerate())
            .map(|(index, step)| steps::output_size(index, step, input))
            .collect::<Result<_, _>>()?;
        let first = sizes.first().copied().flatten();
        Ok(first.filter(|first| sizes.iter().all(|size| *size == Some(*first))))
    }

    /// Applies one of the steps.
    ///
    /// # Source
    ///
    /// torchvision `RandomChoice`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let chosen = self.draw(generator);
        self.transforms[chosen].apply(image, generator);
    }

    fn apply_to_sample(&self, image: &mut WorkingImage, sample: &SampleKey, generator: &mut ChaCha8Rng) {
        let chosen = self.draw(generator);
        self.transforms[chosen].apply_to_sample(image, sample, generator);
    }

    fn description(&self) -> String {
        format!("random_choice: {}", steps::descriptions(&self.transforms))
    }
}
