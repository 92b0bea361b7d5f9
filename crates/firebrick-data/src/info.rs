//! What is known about an opened data set.

use serde::{Deserialize, Serialize};

use crate::bad_image::SkippedImages;
use crate::shape::InputShape;
use crate::transform::Normalization;

/// What an opened data set is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// The data set's name as the config spells it.
    pub name: String,
    /// Class names; label `k` is `class_names[k]`.
    pub class_names: Vec<String>,
    /// Samples of the train split, after `limit` and without those held out for validation.
    pub train_count: usize,
    /// Samples of the validation split; 0 when there is none. Absent in checkpoints of earlier versions,
    /// which had none.
    #[serde(default)]
    pub validation_count: usize,
    /// Samples of the test split, after `limit`.
    pub test_count: usize,
    /// The shape of every stored image, or `None` when they differ.
    pub source_shape: Option<InputShape>,
    /// What is subtracted and divided by, or `None` for pixels / 255 alone.
    pub normalization: Option<Normalization>,
    /// SHA-256 (hex) over names, sizes and contents of what was read at opening.
    pub fingerprint: String,
    /// Images that were left out because they cannot be read, by `data.on_bad_image = "skip"`.
    #[serde(default, skip_serializing_if = "SkippedImages::is_empty")]
    pub skipped: SkippedImages,
    /// What is worth knowing before results are believed: images that are in two splits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// Each preparing step in words, in the order in which it is applied.
    pub steps: Vec<String>,
}

impl DatasetInfo {
    /// A sentence on the images that were left out; `None` when every image could be read.
    pub fn skipped_notice(&self) -> Option<String> {
        self.skipped.notice(self.train_count + self.validation_count + self.test_count)
    }
}
