//! Some samples of a split.

use burn_dataset::Dataset;

use crate::error::DataError;
use crate::image::Sample;
use crate::source::{SampleSet, SharedDataset};

/// The samples of a split that have these indices, in this order.
pub(crate) struct Part {
    pub(crate) samples: SharedDataset,
    pub(crate) indices: Vec<usize>,
}

impl Part {
    fn at(&self, index: usize) -> Result<usize, DataError> {
        let count = self.indices.len();
        self.indices.get(index).copied().ok_or(DataError::Index { index, count })
    }
}

impl Dataset<Sample, DataError> for Part {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        self.samples.get(self.at(index)?)
    }

    fn len(&self) -> usize {
        self.indices.len()
    }
}

impl SampleSet for Part {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        self.samples.label(self.at(index)?)
    }
}
