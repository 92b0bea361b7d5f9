//! From a config to the prepared splits: check the arguments, find the files, take the parts that were
//! asked for, put the transforms on top.

use std::sync::Arc;

use crate::batch_transform::BatchTransformConfig;
use crate::config::DataConfig;
use crate::datasets::Datasets;
use crate::download;
use crate::error::DataError;
use crate::hold_out::{HoldOut, stratified};
use crate::info::DatasetInfo;
use crate::part::Part;
use crate::prepared::PreparedDataset;
use crate::progress::Progress;
use crate::shape::InputShape;
use crate::source::{OpenRequest, SharedDataset, Source, Wanted};
use crate::split::{SplitSpec, StoredSplit};
use crate::transform::{Pipeline, Preprocess, TransformConfig};

/// Opens the data set of `config` for a model that wants images of shape `input`.
///
/// With `config.download`, missing files are fetched first. Everything is checked here: what follows
/// meets no bad size or label any more. `seed` keys the augmentations, the choice of samples that are held out
/// for validation, and the synthetic data.
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
    let normalization = config.normalize.resolve(config.dataset.normalization(), input.channels);
    let preprocess = Preprocess::with_resize(input, config.resize, normalization)?;
    let training = Pipeline::new(preprocess.clone(), config.augment.clone())?;
    let source = find(config, seed, progress)?;
    let splits = Splits::of(config, &source, seed)?;
    let info = DatasetInfo {
        name: config.dataset.name().to_owned(),
        class_names: source.class_names.clone(),
        train_count: splits.train.len(),
        validation_count: splits.validation.as_ref().map_or(0, |split| split.len()),
        test_count: splits.test.len(),
        source_shape: source.shape,
        normalization: preprocess.normalization.clone(),
        fingerprint: source.fingerprint.clone(),
        skipped: source.skipped.clone(),
        steps: describe(config, &source, &splits, &training, seed),
    };
    let prepare = |split: SharedDataset, augment: &[TransformConfig], batch: &[BatchTransformConfig]| {
        PreparedDataset::new(split, preprocess.clone(), augment.to_vec(), seed)?
            .with_classes(source.class_names.len(), batch.to_vec())
            .map(Arc::new)
    };
    Ok(Datasets {
        train: prepare(splits.train, &config.augment, &config.batch_augment)?,
        validation: splits.validation.map(|split| prepare(split, &[], &[])).transpose()?,
        test: prepare(splits.test, &[], &[])?,
        info,
    })
}

/// Finds and opens the data set of `config` as it is stored, after a download if one is asked for. `seed`
/// matters to the synthetic one alone.
///
/// # Errors
///
/// As [`DatasetSource::open`](crate::source::DatasetSource::open), and [`DataError::Download`].
pub fn find(config: &DataConfig, seed: u64, progress: &dyn Progress) -> Result<Source, DataError> {
    let wanted = Wanted {
        train: config.uses(StoredSplit::Train),
        validation: config.uses(StoredSplit::Validation) || config.validation_split.is_none(),
        test: config.uses(StoredSplit::Test),
    };
    let limit = config.limit.unwrap_or_default();
    let request =
        OpenRequest { root: &config.root, wanted, limit, seed, on_bad_image: config.on_bad_image, progress };
    if config.download
        && config.dataset.wants_download(&request)
        && let Some(files) = config.dataset.remote_files()
    {
        download::ensure(&files, &config.root, progress)?;
    }
    config.dataset.open(&request)
}

/// The splits of a source, before any transform.
struct Splits {
    train: SharedDataset,
    validation: Option<SharedDataset>,
    test: SharedDataset,
}

impl Splits {
    fn of(config: &DataConfig, source: &Source, seed: u64) -> Result<Self, DataError> {
        let limit = config.limit.unwrap_or_default();
        let train = take_part(source, "train_split", &config.train_split, limit.train)?;
        let test = take_part(source, "test_split", &config.test_split, limit.test)?;
        // A stored validation split that is trained or tested on is no validation split.
        let has_own = source.validation.is_some() && !config.uses(StoredSplit::Validation);
        let own = SplitSpec::whole(StoredSplit::Validation);
        let named = config.validation_split.as_ref().or(has_own.then_some(&own));
        match (&config.validation, named) {
            (None, None) => match limit.validation {
                None => Ok(Self { train, validation: None, test }),
                Some(limit) => {
                    let expected =
                        "nothing, for there is no validation split (data.validation = 0.1 makes one)";
                    Err(DataError::argument("limit.validation", expected, limit))
                }
            },
            (None, Some(named)) => {
                let validation = take_part(source, "validation_split", named, limit.validation)?;
                Ok(Self { train, validation: Some(validation), test })
            }
            (Some(hold_out), None) => {
                let [train, validation] = part_by_class(train, *hold_out, source.class_names.len(), seed)?;
                Ok(Self { train, validation: Some(validation), test })
            }
            (Some(hold_out), Some(_)) => {
                let expected = "nothing, for the data set has a validation split of its own";
                Err(DataError::argument("validation", expected, hold_out))
            }
        }
    }
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
fn part_by_class(
    train: SharedDataset,
    hold_out: HoldOut,
    num_classes: usize,
    seed: u64,
) -> Result<[SharedDataset; 2], DataError> {
    let count = hold_out.count(train.len()).map_err(|error| error.within("validation"))?;
    let label = |index| match train.label(index)? {
        label if (label as usize) < num_classes => Ok(label),
        label => Err(DataError::Label { index, label, num_classes }),
    };
    let labels: Vec<u32> = (0..train.len()).map(label).collect::<Result<_, _>>()?;
    let parts = stratified(&labels, num_classes, count, seed);
    Ok(parts.map(|indices| Arc::new(Part { samples: train.clone(), indices }) as SharedDataset))
}

/// Where the samples come from and what happens to them, a line a step.
fn describe(
    config: &DataConfig,
    source: &Source,
    splits: &Splits,
    training: &Pipeline,
    seed: u64,
) -> Vec<String> {
    let mut steps = vec![format!("read {}", source.origin)];
    for (name, spec) in [("train", &config.train_split), ("test", &config.test_split)] {
        if spec.to_string() != name {
            steps.push(format!("{name} on {spec}"));
        }
    }
    steps.extend(splits.validation.as_ref().map(|validation| match &config.validation_split {
        _ if config.validation.is_some() => format!(
            "hold out {} of {} training samples for validation (by class, seed {seed})",
            validation.len(),
            validation.len() + splits.train.len()
        ),
        Some(spec) => format!("validation on {spec}"),
        None => format!("validation on the {} samples of the data set's own split", validation.len()),
    }));
    steps.extend(training.steps(source.shape));
    steps.extend(config.batch_augment.iter().map(|step| step.description()));
    if training.augment_sets_size() {
        let plain = training.preprocess().steps(source.shape);
        steps.push(format!("validation and test images: {}", plain.join(", ")));
    }
    steps
}
