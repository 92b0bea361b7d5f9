//! Names of splits and parts of them, as a config writes them.

use std::fmt;
use std::str::FromStr;

use firebrick_component::ArgumentError;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most samples of each stored split to use: the first ones, or, in a data set that is ordered by
/// class, as many spread evenly over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as limit = { train = 1000, test = 200 }")]
pub struct Limit {
    /// Training samples, before `data.validation` takes its part of them; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// Samples of a stored validation split; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// Test samples; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
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

/// The splits that a data set may be stored in. All have `train` and `test`; image folders and a
/// program's own data sets may have `validation`.
///
/// The discriminants are part of the synthetic data set's random keys; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum StoredSplit {
    /// The training samples.
    Train = 0,
    /// The test samples.
    Test = 1,
    /// The validation samples.
    Validation = 2,
}

impl StoredSplit {
    /// Every stored split.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name as the config spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Validation => "validation",
        }
    }
}

impl SplitSpec {
    /// The whole of a stored split.
    pub fn whole(stored: StoredSplit) -> Self {
        Self { stored, start: 0, end: None }
    }

    /// The whole train split.
    pub fn train() -> Self {
        Self::whole(StoredSplit::Train)
    }

    /// The whole test split.
    pub fn test() -> Self {
        Self::whole(StoredSplit::Test)
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
    type Err = ArgumentError;

    /// Reads `train`, `test[:8000]`, `test[8000:]`, `train[100:200]`.
    fn from_str(text: &str) -> Result<Self, ArgumentError> {
        parse_split(text.trim())
            .ok_or_else(|| ArgumentError::new("split", SPLIT_FORMS, format!("\"{text}\"")))
    }
}

/// What a split may look like.
const SPLIT_FORMS: &str = "`train`, `validation`, `test` or a part of one such as `test[:8000]`, `test[8000:]` \
                           or `train[100:200]`";

fn parse_split(text: &str) -> Option<SplitSpec> {
    let (name, part) = match text.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']')?)),
        None => (text, None),
    };
    let stored = StoredSplit::ALL.into_iter().find(|stored| stored.name() == name)?;
    let mut spec = SplitSpec::whole(stored);
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
