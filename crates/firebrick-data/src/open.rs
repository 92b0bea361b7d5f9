//! From a config to the prepared splits: check the arguments, find the files, take the parts that were
//! asked for, put the transforms on top.

use std::sync::Arc;

use crate::balance::by_class;
use crate::batch_transform::BatchTransformConfig;
use crate::cache::{Budget, Cache, Cached};
use crate::config::DataConfig;
use crate::datasets::Datasets;
use crate::download;
use crate::duplicates;
use crate::error::DataError;
use crate::hold_out::HoldOut;
use crate::info::DatasetInfo;
use crate::prepared::PreparedDataset;
use crate::progress::Progress;
use crate::shape::InputShape;
use crate::source::{OpenRequest, SharedDataset, Source, Wanted};
use crate::split::StoredSplit;
use crate::splits::{HeldOut, Splits, labels};
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
    let preprocess = preprocess(config, input)?;
    let training = Pipeline::new(preprocess.clone(), config.augment.clone())?;
    let source = find(config, seed, progress)?;
    let splits = Splits::of(config, &source, seed)?;
    let notices = duplicates_of(&splits);
    let budget = (config.cache == Cache::Memory).then(Budget::of_memory);
    let splits = splits.map(|split| Cached::over(split, budget.as_ref()));
    let num_classes = source.class_names.len();
    let is_unbalanced = !config.sampler.is_default() || config.class_weights.is_some();
    let by_class = match is_unbalanced {
        true => Some(by_class(&labels(&splits.train, num_classes)?, num_classes)),
        false => None,
    };
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
        notices,
        steps: describe(config, &source, &splits, &training, seed),
    };
    let prepare = |split: SharedDataset, augment: &[TransformConfig], batch: &[BatchTransformConfig]| {
        PreparedDataset::new(split, preprocess.clone(), augment.to_vec(), seed)?
            .with_classes(source.class_names.len(), batch.to_vec())
    };
    let train = prepare(splits.train, &config.augment, &config.batch_augment)?;
    let train = train.with_repeats(config.repeated_augmentation);
    let train_class_counts = by_class.as_ref().map(|classes| classes.iter().map(Vec::len).collect());
    let train = match by_class.filter(|_| !config.sampler.is_default()) {
        Some(by_class) => train.with_balanced(by_class),
        None => train,
    };
    let plain = |split: SharedDataset| prepare(split, &[], &[]).map(Arc::new);
    Ok(Datasets {
        train: Arc::new(train),
        validation: splits.validation.map(plain).transpose()?,
        test: plain(splits.test)?,
        train_class_counts,
        info,
    })
}

/// What makes the network's input of any image.
fn preprocess(config: &DataConfig, input: InputShape) -> Result<Preprocess, DataError> {
    let normalize = config.normalize.clone().unwrap_or_default();
    let normalization = normalize.resolve(config.dataset.normalization(), input.channels);
    Preprocess::with_resize(input, config.resize.unwrap_or_default(), normalization)
}

/// The training samples as they are stored, with the augmentations, and without them; nothing stays in memory.
pub(crate) fn prepare_training(
    config: &DataConfig,
    input: InputShape,
    seed: u64,
    progress: &dyn Progress,
) -> Result<(SharedDataset, PreparedDataset, PreparedDataset), DataError> {
    config.validate()?;
    let preprocess = preprocess(config, input)?;
    let source = find(config, seed, progress)?;
    let train = Splits::of(config, &source, seed)?.train;
    let prepare = |augment| PreparedDataset::new(train.clone(), preprocess.clone(), augment, seed);
    let (full, plain) = (prepare(config.augment.clone())?, prepare(Vec::new())?);
    Ok((train, full, plain))
}

/// Sentences on images that are trained on and evaluated on.
fn duplicates_of(splits: &Splits) -> Vec<String> {
    let validation = splits.validation.as_ref().map(|validation| ("validation", validation));
    let others = validation.into_iter().chain([("test", &splits.test)]);
    others.filter_map(|(name, other)| duplicates::notice(&splits.train, name, other)).collect()
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
    steps.extend(splits.held_out.map(|held_out| {
        let (taken, purpose) = match held_out {
            HeldOut::Validation => {
                (splits.validation.as_ref().map_or(0, |split| split.len()), "for validation")
            }
            HeldOut::Test => (splits.test.len(), "to test on, as there is no test split"),
        };
        let fold = match config.validation {
            Some(HoldOut::Fold { fold, num_folds }) => format!("fold {fold} of {num_folds}, "),
            _ => String::new(),
        };
        let total = taken + splits.train.len();
        format!("hold out {taken} of {total} training samples {purpose} ({fold}by class, seed {seed})")
    }));
    let stored = splits.validation.as_ref().filter(|_| splits.held_out.is_none());
    steps.extend(stored.map(|validation| match &config.validation_split {
        Some(spec) => format!("validation on {spec}"),
        None => format!("validation on the {} samples of the data set's own split", validation.len()),
    }));
    if !config.sampler.is_default() {
        steps.push("draw every class equally often, with replacement".to_owned());
    }
    steps.extend(training.steps(source.shape));
    if config.repeated_augmentation > 1 {
        steps.push(format!("each image of an epoch {} times", config.repeated_augmentation));
    }
    steps.extend(config.batch_augment.iter().map(|step| step.description()));
    if training.augment_sets_size() {
        let plain = training.preprocess().steps(source.shape);
        steps.push(format!("validation and test images: {}", plain.join(", ")));
    }
    steps
}
