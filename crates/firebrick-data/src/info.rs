//! What is known about an opened data set, and the pair of splits that training takes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::PreparedDataset;

/// Channels, height and width of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputShape {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl InputShape {
    /// Values in one image. Saturates instead of overflowing.
    pub fn len(&self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }

    /// True when an image of this shape has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// Mean and standard deviation of each channel, of pixels / 255.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel; positive.
    pub std: Vec<f32>,
}

/// What an opened data set is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// The data set's name as the config spells it.
    pub name: String,
    /// Class names; label `k` is `class_names[k]`.
    pub class_names: Vec<String>,
    /// Samples of the train split, after `limit`.
    pub train_count: usize,
    /// Samples of the test split, after `limit`.
    pub test_count: usize,
    /// The shape of every stored image, or `None` when they differ.
    pub source_shape: Option<InputShape>,
    /// What is subtracted and divided by, or `None` for pixels / 255 alone.
    pub normalization: Option<Normalization>,
    /// SHA-256 (hex) over names, sizes and contents of what was read at opening.
    pub fingerprint: String,
    /// Each preparing step in words, in the order in which it is applied.
    pub steps: Vec<String>,
}

/// The two splits of a data set, ready for a [`DataLoader`](crate::DataLoader).
#[derive(Clone)]
pub struct Datasets {
    /// Training samples, with augmentations.
    pub train: Arc<PreparedDataset>,
    /// Test samples, without augmentations.
    pub test: Arc<PreparedDataset>,
    /// What they are made of.
    pub info: DatasetInfo,
}
