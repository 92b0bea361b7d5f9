//! The `[data]` table: what it may hold, its defaults, and the checks that need no files.

use std::fmt;
use std::path::PathBuf;

use firebrick_component::{ArgumentError, NoEffect, check};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use toml::{Table, Value};

use crate::bad_image::OnBadImage;
use crate::balance::{ClassWeights, Sampler};
use crate::batch_transform::BatchTransformConfig;
use crate::cache::Cache;
use crate::config_table::DataKeys;
use crate::dataset_choice::DatasetChoice;
use crate::hold_out::HoldOut;
use crate::source::DatasetConfig;
use crate::split::{Limit, SplitSpec, StoredSplit};
use crate::transform::{Normalize, Resize, TransformConfig};

/// Which data to read and how to turn it into batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct DataConfig {
    /// The data set.
    pub dataset: DatasetChoice,
    /// The folder in which its files are found, or into which they are downloaded.
    #[serde(default = "default_root")]
    pub root: PathBuf,
    /// Fetch missing files from the data set's official place.
    #[serde(default)]
    pub download: bool,
    /// What happens to image files that cannot be read: `"stop"` names the first one and ends the run; `"skip"` decodes
    /// every file once when the data set is opened and leaves those out.
    #[serde(default, skip_serializing_if = "OnBadImage::is_default")]
    pub on_bad_image: OnBadImage,
    /// Images in a batch; at least 1.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// Draw a new order of the training samples for each epoch.
    #[serde(default = "default_true")]
    pub shuffle: bool,
    /// Which training images an epoch has: `"all"`, each once; `"balanced"`, as many, drawn so that every class comes equally
    /// often. The second draws with replacement and takes the place of `shuffle`.
    #[serde(default, skip_serializing_if = "Sampler::is_default")]
    pub sampler: Sampler,
    /// `"balanced"`: images of rare classes count more in the loss, by scikit-learn's rule (images / (classes x images of the
    /// class)). The weights are told and stand in the run's config as the loss's `weight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// What happens to a pixel after the division by 255. Left out: what belongs to the published weights that the run
    /// begins with, otherwise `"dataset"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// How images get the model's size. Left out: what belongs to the published weights that the run begins with,
    /// otherwise `"squash"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// Changes to training images, in this order. Where one of them sets the images' size, the list must end
    /// with the model's; otherwise images get it first, by `resize`.
    #[serde(default)]
    pub augment: Vec<TransformConfig>,
    /// Changes to whole training batches after normalisation, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batch_augment: Vec<BatchTransformConfig>,
    /// How often a training image comes in an epoch, one after another, each time augmented in another way. An epoch keeps
    /// its length, so that it holds as many fewer images. 1: once.
    #[serde(default = "default_repeats", skip_serializing_if = "is_once")]
    pub repeated_augmentation: usize,
    /// `"memory"`: decoded image files stay in memory, as many as fit into half of what is free when the data set is opened, so
    /// that later epochs need not decode them; `"off"`: none do. Batches are the same.
    #[serde(default, skip_serializing_if = "Cache::is_default")]
    pub cache: Cache,
    /// Threads that prepare batches; 0: the training thread does. Batches are the same for any number.
    #[serde(default = "default_workers")]
    pub workers: usize,
    /// Leave out the last batch of a training epoch when it is not full.
    #[serde(default)]
    pub drop_last: bool,
    /// Use a part of each split only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Which stored samples are trained on: `"train"`, or a part such as `"test[:8000]"`.
    #[serde(default = "SplitSpec::train")]
    pub train_split: SplitSpec,
    /// Which stored samples are tested on: `"test"`, or a part such as `"test[8000:]"`.
    #[serde(default = "SplitSpec::test")]
    pub test_split: SplitSpec,
    /// Training samples that are held out for validation, drawn from the run's seed, from all classes alike: a fraction, a
    /// number, or one fold of a cross-validation, `{ fold = [2, 5] }` for the second of five. Of a data set without a test split they
    /// are the test split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<HoldOut>,
    /// Which stored samples are validated on, such as `"train[50000:]"`. When neither this nor `validation` is
    /// given: the data set's own validation split, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_split: Option<SplitSpec>,
}

fn default_root() -> PathBuf {
    PathBuf::from("data")
}

fn default_batch_size() -> usize {
    64
}

fn default_workers() -> usize {
    2
}

fn default_repeats() -> usize {
    1
}

fn is_once(repeats: &usize) -> bool {
    *repeats == 1
}

fn default_true() -> bool {
    true
}

impl DataConfig {
    /// All defaults for `dataset`.
    pub fn new(dataset: impl Into<DatasetConfig>) -> Self {
        Self {
            dataset: DatasetChoice::from(dataset.into()),
            root: default_root(),
            download: false,
            on_bad_image: OnBadImage::default(),
            batch_size: default_batch_size(),
            shuffle: true,
            sampler: Sampler::default(),
            class_weights: None,
            normalize: None,
            resize: None,
            augment: Vec::new(),
            batch_augment: Vec::new(),
            repeated_augmentation: default_repeats(),
            workers: default_workers(),
            cache: Cache::default(),
            drop_last: false,
            limit: None,
            train_split: SplitSpec::train(),
            test_split: SplitSpec::test(),
            validation: None,
            validation_split: None,
        }
    }

    /// Checks everything that can be checked without the files and without the model.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for the first wrong argument, with its path inside `[data]`, such as
    /// `augment[0].padding`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("batch_size", self.batch_size, 1, 1 << 20)?;
        check::in_range("workers", self.workers, 0, 1024)?;
        check::in_range("repeated_augmentation", self.repeated_augmentation, 1, 1024)?;
        if self.repeated_augmentation > 1 && !self.shuffle {
            let expected = "1 beside shuffle = false, where the first images only would ever come";
            return Err(ArgumentError::new("repeated_augmentation", expected, self.repeated_augmentation));
        }
        if let Some(normalize) = &self.normalize {
            normalize.validate().map_err(|error| error.within("normalize"))?;
        }
        if let Some(resize) = &self.resize {
            resize.validate().map_err(|error| error.within("resize"))?;
        }
        for (index, step) in self.augment.iter().enumerate() {
            step.validate().map_err(|error| error.within(format!("augment[{index}]")))?;
        }
        for (index, step) in self.batch_augment.iter().enumerate() {
            step.validate().map_err(|error| error.within(format!("batch_augment[{index}]")))?;
        }
        if !self.on_bad_image.is_default() && !self.dataset.can_skip_images() {
            let expected =
                format!("\"stop\", for data set `{}` does not lie in image files", self.dataset.name());
            return Err(ArgumentError::new("on_bad_image", expected, "\"skip\""));
        }
        if !self.sampler.is_default() && (!self.shuffle || self.repeated_augmentation > 1) {
            let expected =
                "\"all\" beside shuffle = false or repeated_augmentation, for it draws the images itself";
            return Err(ArgumentError::new("sampler", expected, "\"balanced\""));
        }
        self.validate_limits()?;
        self.validate_splits()?;
        self.dataset.validate()
    }

    /// Keys that were given and change nothing.
    pub fn without_effect(&self) -> Vec<NoEffect> {
        let name = self.dataset.name();
        let mut found = Vec::new();
        if !self.dataset.reads_files() && self.root != default_root() {
            found.push(NoEffect::new("root", format!("data set `{name}` has no files")));
        }
        if self.download && self.dataset.remote_files().is_none() {
            found.push(NoEffect::new(
                "download",
                format!("data set `{name}` has no official place to fetch it from"),
            ));
        }
        if self.repeated_augmentation > 1 && self.augment.is_empty() {
            let reason = "without `augment` an image is the same each time";
            found.push(NoEffect::new("repeated_augmentation", reason));
        }
        let steps = self.augment.iter().enumerate();
        found.extend(
            steps.flat_map(|(index, step)| within(step.without_effect(), format!("augment[{index}]"))),
        );
        let steps = self.batch_augment.iter().enumerate();
        found.extend(
            steps.flat_map(|(index, step)| within(step.without_effect(), format!("batch_augment[{index}]"))),
        );
        found
    }

    fn validate_limits(&self) -> Result<(), ArgumentError> {
        let Limit { train, validation, test } = self.limit.unwrap_or_default();
        for (key, count) in [("limit.train", train), ("limit.validation", validation), ("limit.test", test)] {
            check::that(count != Some(0), key, 0, "at least 1, or no limit")?;
        }
        match (validation, &self.validation) {
            (Some(count), Some(_)) => {
                let expected = "no limit beside `validation`, which says how many samples there are";
                Err(ArgumentError::new("limit.validation", expected, count))
            }
            _ => Ok(()),
        }
    }

    fn validate_splits(&self) -> Result<(), ArgumentError> {
        let splits = self.splits();
        for (key, split) in &splits {
            if split.end.is_some_and(|end| end <= split.start) {
                return Err(ArgumentError::new(*key, "a part with at least one sample", split));
            }
            if self.dataset.is_ordered_by_class() && !split.is_whole() {
                return Err(ArgumentError::new(
                    *key,
                    format!(
                        "`{}`: data set `{}` is ordered by class, so that a part of it would leave classes \
                         out (move samples between its stored splits instead)",
                        split.stored.name(),
                        self.dataset.name()
                    ),
                    split,
                ));
            }
        }
        for (place, (key, split)) in splits.iter().enumerate() {
            if let Some((other_key, other)) = splits[..place].iter().find(|(_, other)| other.overlaps(split))
            {
                let expected = match *other_key {
                    "train_split" => format!("samples that are not trained on (train_split = \"{other}\")"),
                    _ => format!("samples that are not tested on ({other_key} = \"{other}\")"),
                };
                return Err(ArgumentError::new(*key, expected, format!("\"{split}\"")));
            }
        }
        if let Some(hold_out) = &self.validation {
            hold_out.validate().map_err(|error| error.within("validation"))?;
            if let Some(split) = &self.validation_split {
                let expected = "`validation` or `validation_split`, not both";
                return Err(ArgumentError::new("validation_split", expected, format!("\"{split}\"")));
            }
        }
        Ok(())
    }

    /// The splits that are named, with their keys.
    fn splits(&self) -> Vec<(&'static str, &SplitSpec)> {
        let validation = self.validation_split.as_ref().map(|split| ("validation_split", split));
        [("train_split", &self.train_split), ("test_split", &self.test_split)]
            .into_iter()
            .chain(validation)
            .collect()
    }

    /// True when a named split is, or is a part of, this stored one.
    pub(crate) fn uses(&self, stored: StoredSplit) -> bool {
        self.splits().iter().any(|(_, split)| split.stored == stored)
    }
}

fn within(found: Vec<NoEffect>, parent: String) -> impl Iterator<Item = NoEffect> {
    found.into_iter().map(move |found| found.within(&parent))
}

impl Serialize for DataConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Plain<'a>(&'a DataConfig);
        impl Serialize for Plain<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                DataConfig::serialize(self.0, serializer)
            }
        }
        let mut table = Table::try_from(Plain(self)).map_err(ser::Error::custom)?;
        let (_, arguments) = self.dataset.written().map_err(ser::Error::custom)?;
        if let Some(arguments) = arguments {
            table.insert(self.dataset.name().to_owned(), Value::Table(arguments));
        }
        table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DataConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DataVisitor;
        impl<'de> Visitor<'de> for DataVisitor {
            type Value = DataConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table `[data]`")
            }

            fn visit_map<M: MapAccess<'de>>(self, keys: M) -> Result<DataConfig, M::Error> {
                let mut keys = DataKeys::new(keys);
                let mut config = DataConfig::deserialize(MapAccessDeserializer::new(&mut keys))?;
                let choice = keys.choice();
                // Read as a whole above; here with the way it was spelled.
                config.dataset = choice.unwrap_or_else(|| unreachable!("bug: `dataset` was not asked for"));
                Ok(config)
            }
        }
        deserializer.deserialize_map(DataVisitor)
    }
}
