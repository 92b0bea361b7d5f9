//! What blocks share: steps that stand in a list inside of a step.

use std::fmt::Debug;
use std::ops::Deref;

use firebrick_component::{ArgumentError, NoEffect};

use super::interface::Transform;
use crate::shape::ImageSize;

/// What a block's list may hold.
pub trait IsStep: Deref<Target = dyn Transform> + Debug + Send + Sync + 'static {}

impl<Step: Deref<Target = dyn Transform> + Debug + Send + Sync + 'static> IsStep for Step {}

/// Checks the steps by themselves.
pub(super) fn validate<Step: IsStep>(steps: &[Step]) -> Result<(), ArgumentError> {
    if steps.is_empty() {
        return Err(ArgumentError::new("transforms", "at least one augmentation", "[]"));
    }
    let mut steps = steps.iter().enumerate();
    steps.try_for_each(|(index, step)| step.validate().map_err(|error| error.within(path(index))))
}

/// What of the steps has no effect.
pub(super) fn without_effect<Step: IsStep>(steps: &[Step]) -> Vec<NoEffect> {
    let found = |(index, step): (usize, &Step)| {
        step.without_effect().into_iter().map(move |found| found.within(path(index)))
    };
    steps.iter().enumerate().flat_map(found).collect()
}

/// The size of what comes out of step `index`.
pub(super) fn output_size<Step: IsStep>(
    index: usize,
    step: &Step,
    input: Option<ImageSize>,
) -> Result<Option<ImageSize>, ArgumentError> {
    step.output_size(input).map_err(|error| error.within(path(index)))
}

/// The steps in words.
pub(super) fn descriptions<Step: IsStep>(steps: &[Step]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| step.description()).collect();
    steps.join(", ")
}

fn path(index: usize) -> String {
    format!("transforms[{index}]")
}
