//! From a config to the two prepared splits: check the arguments, find the files, take the parts that
//! were asked for, put the transforms on top.

use std::sync::Arc;

use burn_dataset::Dataset;
use burn_dataset::transform::PartialDataset;

use crate::config::SplitSpec;
use crate::source::{self, SharedDataset, Source};
use crate::{
    AugmentConfig, DataConfig, DataError, DatasetInfo, Datasets, InputShape, PreparedDataset, Preprocess,
    Progress, download,
};

/// Opens the data set of `config` for a model that wants images of shape `input`.
///
/// With `config.download`, missing files are fetched first. Everything is checked here: what follows
/// meets no bad size or label any more. `seed` keys the augmentations and the synthetic data.
///
/// # Errors
/// [`DataError::Argument`] for a wrong argument, before any file is touched;
/// [`DataError::Missing`], [`DataError::Malformed`], [`DataError::Storage`] or [`DataError::Io`] for the
/// files; [`DataError::Download`]; [`DataError::Cancelled`] when `progress` says so.
pub fn open(
    config: &DataConfig,
    input: InputShape,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Datasets, DataError> {
    config.validate()?;
    let normalization = config.normalize.resolve(config.dataset, input.channels);
    let preprocess = Preprocess::new(input, normalization)?;
    for augment in &config.augment {
        augment.validate_for(&input)?;
    }
    if config.download && source::wants_download(config) {
        download::ensure(config.dataset, &config.root, progress)?;
    }
    let source = source::find(config, seed, progress)?;
    let limit = config.limit.unwrap_or_default();
    let train = take_part(&source, "train_split", &config.train_split, limit.train)?;
    let test = take_part(&source, "test_split", &config.test_split, limit.test)?;
    let info = DatasetInfo {
        name: config.dataset.name().to_owned(),
        class_names: source.class_names.clone(),
        train_count: train.len(),
        test_count: test.len(),
        source_shape: source.shape,
        normalization: preprocess.normalization.clone(),
        fingerprint: source.fingerprint.clone(),
        steps: describe(config, &source, &preprocess),
    };
    let prepare = |split, augment: &[AugmentConfig]| {
        PreparedDataset::new(split, preprocess.clone(), augment.to_vec(), seed).map(Arc::new)
    };
    Ok(Datasets { train: prepare(train, &config.augment)?, test: prepare(test, &[])?, info })
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
        .ok_or_else(|| DataError::argument(key, "a split that was read", format!("\"{spec}\"")))?;
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
    Ok(Arc::new(PartialDataset::new(stored.clone(), spec.start, end)))
}

/// Where the samples come from and what happens to them, a line a step.
fn describe(config: &DataConfig, source: &Source, preprocess: &Preprocess) -> Vec<String> {
    let mut steps = vec![format!("read {}", source.origin)];
    for (name, spec) in [("train", &config.train_split), ("test", &config.test_split)] {
        if spec.to_string() != name {
            steps.push(format!("{name} on {spec}"));
        }
    }
    steps.extend(preprocess.steps_with(source.shape, &config.augment));
    steps
}
