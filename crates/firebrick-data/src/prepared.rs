//! A source with its transforms: sample `index` of epoch `epoch` as the numbers a network sees.

use std::sync::Arc;

use burn_dataset::Dataset;

use crate::random::{Purpose, generator};
use crate::transform::{PixelTable, WorkingImage};
use crate::{AugmentConfig, DataError, Preprocess, Sample};

/// Samples that are prepared when asked for; what comes out is a pure function of
/// (seed, epoch, index).
pub struct PreparedDataset {
    source: Arc<dyn Dataset<Sample, DataError>>,
    preprocess: Preprocess,
    table: PixelTable,
    augment: Vec<AugmentConfig>,
    seed: u64,
}

impl PreparedDataset {
    /// The samples of `source`, each given the model's shape, then augmented in the given order
    /// (none for a test split), then normalised.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`] for normalisation values or augmentations that do not fit the
    /// model's input; [`DataError::Transform`] for an input no image can have.
    pub fn new(
        source: Arc<dyn Dataset<Sample, DataError>>,
        preprocess: Preprocess,
        augment: Vec<AugmentConfig>,
        seed: u64,
    ) -> Result<Self, DataError> {
        let table = preprocess.table()?;
        for augmentation in &augment {
            augmentation.validate_for(&preprocess.input)?;
        }
        Ok(Self { source, preprocess, table, augment, seed })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.source.len()
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part of the transforms that has no chance in it.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// Sample `index` as it looks in epoch `epoch`, with its label.
    ///
    /// # Shapes
    ///
    /// `channels * height * width` values of the model's input.
    ///
    /// # Errors
    ///
    /// [`DataError::Index`] past the end; what the source says when it cannot read the sample;
    /// [`DataError::Transform`] for an image that cannot be given the model's shape.
    pub fn get(&self, epoch: u64, index: usize) -> Result<(Vec<f32>, u32), DataError> {
        let mut values = Vec::with_capacity(self.preprocess.input.len());
        let label = self.append(epoch, index, &mut WorkingImage::new(), &mut values)?;
        Ok((values, label))
    }

    /// [`PreparedDataset::get`] behind the values of the samples before it, in a worker's buffers.
    pub(crate) fn append(
        &self,
        epoch: u64,
        index: usize,
        working: &mut WorkingImage,
        values: &mut Vec<f32>,
    ) -> Result<u32, DataError> {
        // A `Dataset` panics past its end; here that is an error like any other.
        let count = self.len();
        if index >= count {
            return Err(DataError::Index { index, count });
        }
        let Sample { image, label } = self.source.get(index)?;
        if self.preprocess.fits(&image)? && self.augment.is_empty() {
            self.table.append(&image.pixels, values);
            return Ok(label);
        }
        self.preprocess.shape(&image, working)?;
        self.augment(epoch, index, working);
        self.table.append(working.pixels(), values);
        Ok(label)
    }

    fn augment(&self, epoch: u64, index: usize, working: &mut WorkingImage) {
        let mut generator = generator(self.seed, Purpose::Augment, epoch, index as u64);
        for augmentation in &self.augment {
            augmentation.apply(working, &mut generator);
        }
    }
}
