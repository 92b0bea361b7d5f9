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

    fn content_key(&self, index: usize) -> Option<u64> {
        self.samples.content_key(self.at(index).ok()?)
    }

    fn read_only(&self, index: usize) -> Result<Option<u64>, DataError> {
        self.samples.read_only(self.at(index)?)
    }

    fn decodes(&self) -> bool {
        self.samples.decodes()
    }

    fn name(&self, index: usize) -> Option<String> {
        self.samples.name(self.at(index).ok()?)
    }
}
