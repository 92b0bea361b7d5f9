//! Which samples are trained, validated and tested on.

use std::sync::Arc;

use crate::config::DataConfig;
use crate::error::DataError;
use crate::hold_out::{HoldOut, part_by_class};
use crate::part::Part;
use crate::source::{SharedDataset, Source};
use crate::split::{SplitSpec, StoredSplit};

/// The splits of a source, before any transform. No sample is in two of them.
pub(crate) struct Splits {
    pub(crate) train: SharedDataset,
    pub(crate) validation: Option<SharedDataset>,
    pub(crate) test: SharedDataset,
    /// What `data.validation` made, for a step in words.
    pub(crate) held_out: Option<HeldOut>,
}

/// What the part that `data.validation` takes is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldOut {
    /// For validation, beside a test split.
    Validation,
    /// As the test split, because nothing else is there to test on.
    Test,
}

impl Splits {
    pub(crate) fn of(config: &DataConfig, source: &Source, seed: u64) -> Result<Self, DataError> {
        let limit = config.limit.unwrap_or_default();
        let train = take_part(source, "train_split", &config.train_split, limit.train)?;
        // A stored validation split that is trained or tested on is no validation split.
        let has_own = source.validation.is_some() && !config.uses(StoredSplit::Validation);
        let own = SplitSpec::whole(StoredSplit::Validation);
        let named = config.validation_split.as_ref().or(has_own.then_some(&own));
        if is_without_test(config, source) {
            return Self::without_test(config, source, train, seed);
        }
        let test = take_part(source, "test_split", &config.test_split, limit.test)?;
        let none = Self { train: train.clone(), validation: None, test: test.clone(), held_out: None };
        match (&config.validation, named) {
            (None, None) => match limit.validation {
                None => Ok(none),
                Some(limit) => {
                    let expected =
                        "nothing, for there is no validation split (data.validation = 0.1 makes one)";
                    Err(DataError::argument("limit.validation", expected, limit))
                }
            },
            (None, Some(named)) => {
                let validation = take_part(source, "validation_split", named, limit.validation)?;
                Ok(Self { validation: Some(validation), ..none })
            }
            (Some(hold_out), None) => {
                let [train, validation] = parted(&train, *hold_out, source.class_names.len(), seed)?;
                let held_out = Some(HeldOut::Validation);
                Ok(Self { train, validation: Some(validation), held_out, ..none })
            }
            (Some(hold_out), Some(_)) => {
                let expected = "nothing, for the data set has a validation split of its own";
                Err(DataError::argument("validation", expected, hold_out))
            }
        }
    }

    /// Each split changed by `change`.
    pub(crate) fn map(self, change: impl Fn(SharedDataset) -> SharedDataset) -> Self {
        let Self { train, validation, test, held_out } = self;
        Self { train: change(train), validation: validation.map(&change), test: change(test), held_out }
    }

    /// The splits of a data set that has training samples alone: what is held out of them is the test split, as a
    /// validation split without a test split beside it always is.
    fn without_test(
        config: &DataConfig,
        source: &Source,
        train: SharedDataset,
        seed: u64,
    ) -> Result<Self, DataError> {
        let Some(hold_out) = config.validation else {
            let expected = format!(
                "a part of the {} training samples to test on, such as data.validation = 0.2: {} has no test split",
                train.len(),
                source.origin
            );
            return Err(DataError::argument("validation", expected, "nothing"));
        };
        if let Some(limit) = config.limit.and_then(|limit| limit.test) {
            let expected = "no limit of the test split, which `validation` makes";
            return Err(DataError::argument("limit.test", expected, limit));
        }
        let [train, test] = parted(&train, hold_out, source.class_names.len(), seed)?;
        Ok(Self { train, validation: None, test, held_out: Some(HeldOut::Test) })
    }
}

/// True when nothing is stored to test on and nothing else was named.
fn is_without_test(config: &DataConfig, source: &Source) -> bool {
    source.test.is_none()
        && source.validation.is_none()
        && config.test_split == SplitSpec::test()
        && config.validation_split.is_none()
}

/// The samples that `spec` names, at most `limit` of them.
fn take_part(
    source: &Source,
    key: &str,
    spec: &SplitSpec,
    limit: Option<usize>,
) -> Result<SharedDataset, DataError> {
    let stored = source
        .split(spec.stored)
        .ok_or_else(|| DataError::argument(key, "a split that the data set has", format!("\"{spec}\"")))?;
    let count = stored.len();
    let end = spec.end.unwrap_or(count);
    if spec.start >= count || end > count {
        let expected = format!("a part of the {count} samples of `{}`", spec.stored.name());
        return Err(DataError::argument(key, expected, format!("\"{spec}\"")));
    }
    let end = limit.map_or(end, |limit| end.min(spec.start.saturating_add(limit)));
    if (spec.start, end) == (0, count) {
        return Ok(stored.clone());
    }
    Ok(Arc::new(Part { samples: stored.clone(), indices: (spec.start..end).collect() }))
}

/// The samples that are trained on, and those that are held out.
fn parted(
    train: &SharedDataset,
    hold_out: HoldOut,
    num_classes: usize,
    seed: u64,
) -> Result<[SharedDataset; 2], DataError> {
    // How many there are is checked before the labels, for which every image may have to be decoded.
    hold_out.count(train.len()).map_err(|error| error.within("validation"))?;
    let labels = labels(train, num_classes)?;
    let parts = part_by_class(hold_out, &labels, num_classes, seed);
    let parts = parts.map_err(|error| error.within("validation"))?;
    Ok(parts.map(|indices| Arc::new(Part { samples: train.clone(), indices }) as SharedDataset))
}

/// The label of every sample, each below `num_classes`.
///
/// # Errors
///
/// [`DataError::Label`], and whatever the data set says when it cannot read a sample.
pub(crate) fn labels(samples: &SharedDataset, num_classes: usize) -> Result<Vec<u32>, DataError> {
    let label = |index| match samples.label(index)? {
        label if (label as usize) < num_classes => Ok(label),
        label => Err(DataError::Label { index, label, num_classes }),
    };
    (0..samples.len()).map(label).collect()
}
