//! The splits that training takes.

use std::sync::Arc;

use crate::info::DatasetInfo;
use crate::prepared::PreparedDataset;

/// The splits of a data set, ready for a [`DataLoader`](crate::DataLoader). No sample is in two of them.
#[derive(Clone)]
pub struct Datasets {
    /// Training samples, with augmentations.
    pub train: Arc<PreparedDataset>,
    /// Validation samples, without augmentations; none where neither the config nor the data set has any.
    pub validation: Option<Arc<PreparedDataset>>,
    /// Test samples, without augmentations.
    pub test: Arc<PreparedDataset>,
    /// Training samples of each class, where `data.class_weights` or `data.sampler` asks for them.
    pub train_class_counts: Option<Vec<usize>>,
    /// What they are made of.
    pub info: DatasetInfo,
}
