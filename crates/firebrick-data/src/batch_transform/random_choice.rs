//! Random choice: one of several batch transforms, such as mixup or cutmix.

use std::fmt::Debug;
use std::ops::Deref;

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::{BatchTransform, MutableBatch};
use crate::random::{check_weights, weighted};

/// Arguments of `random_choice`; `BatchStep` is any batch transform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRandomChoiceConfig<BatchStep> {
    /// The batch transforms, one of which is applied to a batch.
    pub transforms: Vec<BatchStep>,
    /// How likely each of them is, compared with the others; all alike when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<Vec<f64>>,
}

/// What the list may hold.
pub trait IsBatchStep: Deref<Target = dyn BatchTransform> + Debug + Send + Sync + 'static {}

impl<BatchStep: Deref<Target = dyn BatchTransform> + Debug + Send + Sync + 'static> IsBatchStep
    for BatchStep
{
}

impl<BatchStep: IsBatchStep> Component for BatchRandomChoiceConfig<BatchStep> {
    fn validate(&self) -> Result<(), ArgumentError> {
        if self.transforms.is_empty() {
            return Err(ArgumentError::new("transforms", "at least one batch transform", "[]"));
        }
        for (index, step) in self.transforms.iter().enumerate() {
            step.validate().map_err(|error| error.within(format!("transforms[{index}]")))?;
        }
        let Some(weights) = &self.p else { return Ok(()) };
        let expected = format!("{} numbers >= 0, one a transform, not all of them 0", self.transforms.len());
        let fits = weights.len() == self.transforms.len() && check_weights(weights);
        check::that(fits, "p", format!("{weights:?}"), expected)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        let found = |(index, step): (usize, &BatchStep)| {
            step.without_effect().into_iter().map(move |found| found.within(format!("transforms[{index}]")))
        };
        self.transforms.iter().enumerate().flat_map(found).collect()
    }
}

impl<BatchStep: IsBatchStep> BatchTransform for BatchRandomChoiceConfig<BatchStep> {
    /// Applies one of the transforms.
    ///
    /// # Source
    ///
    /// torchvision `v2.RandomChoice`, as its recipe for mixup and cutmix has it.
    fn apply(&self, batch: &mut MutableBatch, generator: &mut ChaCha8Rng) {
        let chosen = weighted(generator, self.p.as_deref(), self.transforms.len());
        self.transforms[chosen].apply(batch, generator);
    }

    fn gives_probabilities(&self) -> bool {
        self.transforms.iter().any(|step| step.gives_probabilities())
    }

    fn description(&self) -> String {
        let steps: Vec<String> = self.transforms.iter().map(|step| step.description()).collect();
        format!("random_choice: {}", steps.join(", "))
    }
}
