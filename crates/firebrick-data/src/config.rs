//! The `[data]` table: what it may hold, its defaults, and the checks that need no files.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::source::SyntheticConfig;
use crate::{AugmentConfig, DataError, Normalization};

/// The data sets that can be opened by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DatasetName {
    /// CIFAR-10: 32x32 colour images of 10 classes.
    Cifar10,
    /// CIFAR-100: 32x32 colour images, 100 fine classes.
    Cifar100,
    /// MNIST: 28x28 grey handwritten digits, or any ten classes in its IDX format.
    Mnist,
    /// Fashion-MNIST: 28x28 grey pictures of clothes.
    FashionMnist,
    /// 1,797 handwritten digits of 8x8, compiled into the program.
    Digits,
    /// A folder `train/<class>/*` and `test/<class>/*` of image files.
    ImageFolder,
    /// Separable made-up classes, for tests.
    Synthetic,
}

impl DatasetName {
    /// Every name, as the config spells it.
    pub const NAMES: &'static [&'static str] =
        &["cifar10", "cifar100", "mnist", "fashion_mnist", "digits", "image_folder", "synthetic"];

    /// The name as the config spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion_mnist",
            Self::Digits => "digits",
            Self::ImageFolder => "image_folder",
            Self::Synthetic => "synthetic",
        }
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which data to read and how to turn it into batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The data set.
    pub dataset: DatasetName,
    /// The folder in which its files are found, or into which they are downloaded.
    #[serde(default = "default_root")]
    pub root: PathBuf,
    /// Fetch missing files from the data set's official place.
    #[serde(default)]
    pub download: bool,
    /// Images in a batch; at least 1.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// Draw a new order of the training samples for each epoch.
    #[serde(default = "default_true")]
    pub shuffle: bool,
    /// What happens to a pixel after the division by 255.
    #[serde(default)]
    pub normalize: Normalize,
    /// Random changes to training images, in this order.
    #[serde(default)]
    pub augment: Vec<AugmentConfig>,
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
    /// What the synthetic data set looks like; for `dataset = "synthetic"` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<SyntheticConfig>,
}

/// The most samples of each split to use: the first ones, or, in an image folder, whose order is by
/// class, as many spread evenly over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Training samples; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// Test samples; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
}

/// What happens to a pixel after the division by 255.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Normalize {
    /// Nothing: values from 0 to 1. Written `"none"`.
    None,
    /// The data set's own mean and standard deviation. Written `"dataset"`.
    #[default]
    Dataset,
    /// These. Written `{ mean = [..], std = [..] }`.
    Values(Normalization),
}

/// A stored split, or a run of its samples, as tensorflow-datasets writes it: `train`, `test`,
/// `test[:8000]`, `test[8000:]`, `train[100:200]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitSpec {
    /// The split that is read.
    pub stored: StoredSplit,
    /// The first sample taken.
    pub start: usize,
    /// One past the last sample taken; to the end when absent.
    pub end: Option<usize>,
}

/// The two splits that every data set is stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoredSplit {
    /// The training samples.
    Train,
    /// The test samples.
    Test,
}

impl StoredSplit {
    /// The name as the config spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
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

fn default_true() -> bool {
    true
}

impl DataConfig {
    /// All defaults for `dataset`.
    pub fn new(dataset: DatasetName) -> Self {
        Self {
            dataset,
            root: default_root(),
            download: false,
            batch_size: default_batch_size(),
            shuffle: true,
            normalize: Normalize::default(),
            augment: Vec::new(),
            workers: default_workers(),
            drop_last: false,
            limit: None,
            train_split: SplitSpec::train(),
            test_split: SplitSpec::test(),
            synthetic: None,
        }
    }

    /// Checks everything that can be checked without the files.
    ///
    /// # Errors
    /// [`DataError::Argument`] names the first wrong argument.
    pub fn validate(&self) -> Result<(), DataError> {
        check_range("batch_size", self.batch_size, 1, 1 << 20)?;
        check_range("workers", self.workers, 0, 1024)?;
        let limit = self.limit.unwrap_or_default();
        for (key, count) in [("limit.train", limit.train), ("limit.test", limit.test)] {
            if count == Some(0) {
                return Err(DataError::argument(key, "at least 1, or no limit", 0));
            }
        }
        if let Normalize::Values(values) = &self.normalize {
            check_normalization(values)?;
        }
        for augment in &self.augment {
            augment.validate()?;
        }
        self.validate_splits()?;
        self.validate_synthetic()
    }

    fn validate_splits(&self) -> Result<(), DataError> {
        for (key, split) in [("train_split", &self.train_split), ("test_split", &self.test_split)] {
            if split.end.is_some_and(|end| end <= split.start) {
                return Err(DataError::argument(key, "a part with at least one sample", split));
            }
            if self.dataset == DatasetName::ImageFolder && !split.is_whole() {
                return Err(DataError::argument(
                    key,
                    "`train` or `test`: an image folder is ordered by class, so that a part of it \
                     would leave classes out (move files between its folders instead)",
                    split,
                ));
            }
        }
        if self.train_split.overlaps(&self.test_split) {
            return Err(DataError::argument(
                "test_split",
                format!("samples that are not trained on (train_split = \"{}\")", self.train_split),
                format!("\"{}\"", self.test_split),
            ));
        }
        Ok(())
    }

    fn validate_synthetic(&self) -> Result<(), DataError> {
        match &self.synthetic {
            Some(_) if self.dataset != DatasetName::Synthetic => Err(DataError::argument(
                "synthetic",
                "no such table unless dataset = \"synthetic\"",
                format!("dataset = \"{}\"", self.dataset),
            )),
            Some(synthetic) => synthetic.validate(),
            None => Ok(()),
        }
    }
}

fn check_range(key: &str, value: usize, least: usize, most: usize) -> Result<(), DataError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(DataError::argument(key, format!("a whole number from {least} to {most}"), value))
}

/// How many channels the model has is not known here: one mean may stand for three channels.
fn check_normalization(values: &Normalization) -> Result<(), DataError> {
    match values.mean.len() {
        1 | 3 => values.validate(values.mean.len()),
        count => Err(DataError::argument("normalize.mean", "1 or 3 values", count)),
    }
}

impl SplitSpec {
    /// The whole train split.
    pub fn train() -> Self {
        Self { stored: StoredSplit::Train, start: 0, end: None }
    }

    /// The whole test split.
    pub fn test() -> Self {
        Self { stored: StoredSplit::Test, start: 0, end: None }
    }

    /// True when no part is cut off.
    pub fn is_whole(&self) -> bool {
        self.start == 0 && self.end.is_none()
    }

    /// True when some stored sample could be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let ends_after = |a: &Self, b: &Self| a.end.is_none_or(|end| end > b.start);
        self.stored == other.stored && ends_after(self, other) && ends_after(other, self)
    }
}

impl FromStr for SplitSpec {
    type Err = DataError;

    /// Reads `train`, `test[:8000]`, `test[8000:]`, `train[100:200]`.
    fn from_str(text: &str) -> Result<Self, DataError> {
        parse_split(text.trim()).ok_or_else(|| DataError::argument("split", SPLIT_FORMS, text))
    }
}

/// What a split may look like.
const SPLIT_FORMS: &str =
    "`train`, `test` or a part of one such as `test[:8000]`, `test[8000:]` or `train[100:200]`";

fn parse_split(text: &str) -> Option<SplitSpec> {
    let (name, part) = match text.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']')?)),
        None => (text, None),
    };
    let mut spec = match name {
        "train" => SplitSpec::train(),
        "test" => SplitSpec::test(),
        _ => return None,
    };
    if let Some(part) = part {
        let (start, end) = part.split_once(':')?;
        spec.start = if start.is_empty() { 0 } else { parse_count(start)? };
        spec.end = if end.is_empty() { None } else { Some(parse_count(end)?) };
    }
    Some(spec)
}

/// Digits alone, or with `_` between them as TOML allows.
fn parse_count(text: &str) -> Option<usize> {
    let digits = text.replace('_', "");
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl fmt::Display for SplitSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.stored.name();
        match (self.start, self.end) {
            (0, None) => f.write_str(name),
            (0, Some(end)) => write!(f, "{name}[:{end}]"),
            (start, None) => write!(f, "{name}[{start}:]"),
            (start, Some(end)) => write!(f, "{name}[{start}:{end}]"),
        }
    }
}

impl Serialize for SplitSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SplitSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &SPLIT_FORMS))
    }
}

impl Serialize for Normalize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Dataset => serializer.serialize_str("dataset"),
            Self::Values(values) => values.serialize(serializer),
        }
    }
}

/// Written out because an untagged enum would lose what was wrong and where.
struct NormalizeVisitor;

impl<'de> Visitor<'de> for NormalizeVisitor {
    type Value = Normalize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"none\", \"dataset\" or { mean = [..], std = [..] }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Normalize, E> {
        match text {
            "none" => Ok(Normalize::None),
            "dataset" => Ok(Normalize::Dataset),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Normalize, A::Error> {
        Normalization::deserialize(MapAccessDeserializer::new(map)).map(Normalize::Values)
    }
}

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NormalizeVisitor)
    }
}
