//! A source with its transforms: sample `index` of epoch `epoch` as the network is given it.

use std::sync::Arc;

use burn_dataset::Dataset;

use crate::batch::{HostBatch, HostPixels, HostTargets};
use crate::batch_transform::{BatchTransformConfig, MutableBatch};
use crate::error::DataError;
use crate::image::Sample;
use crate::random::{Purpose, generator};
use crate::transform::{Pipeline, PixelTable, Preprocess, SampleKey, TransformConfig, WorkingImage};

/// Samples that are prepared when asked for; what comes out is a pure function of
/// (seed, epoch, index), and of a batch of (seed, epoch, the batch's number and samples).
pub struct PreparedDataset {
    source: Arc<dyn Dataset<Sample, DataError>>,
    pipeline: Pipeline,
    table: Arc<PixelTable>,
    seed: u64,
    /// Labels are below this, where it is known.
    num_classes: Option<usize>,
    batch_augment: Vec<BatchTransformConfig>,
    /// How often each sample comes, one after another, in an epoch.
    num_repeats: usize,
    /// The samples of each class, where every class shall come equally often.
    balanced: Option<Vec<Vec<usize>>>,
}

impl PreparedDataset {
    /// The samples of `source`, each given the model's shape, augmented in the given order (none for
    /// a validation or test split), then normalised. See [`Pipeline`] for where resizing takes place.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`] for normalisation values or augmentations that do not fit the
    /// model's input; [`DataError::Transform`] for an input no image can have.
    pub fn new(
        source: Arc<dyn Dataset<Sample, DataError>>,
        preprocess: Preprocess,
        augment: Vec<TransformConfig>,
        seed: u64,
    ) -> Result<Self, DataError> {
        let table = Arc::new(preprocess.table()?);
        let pipeline = Pipeline::new(preprocess, augment)?;
        Ok(Self {
            source,
            pipeline,
            table,
            seed,
            num_classes: None,
            batch_augment: Vec::new(),
            num_repeats: 1,
            balanced: None,
        })
    }

    /// The same, with every label checked to be below `num_classes`, and with transforms of whole batches.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`] for a batch transform, with its path (`batch_augment[0].alpha`).
    pub fn with_classes(
        self,
        num_classes: usize,
        batch_augment: Vec<BatchTransformConfig>,
    ) -> Result<Self, DataError> {
        for (index, step) in batch_augment.iter().enumerate() {
            step.validate().map_err(|error| error.within(format!("batch_augment[{index}]")))?;
        }
        Ok(Self { num_classes: Some(num_classes), batch_augment, ..self })
    }

    /// The same, with each sample `num_repeats` times in an epoch, one after another and each time augmented in another
    /// way; as many fewer samples come in an epoch, so that its length stays. 0 is taken as 1.
    #[must_use]
    pub fn with_repeats(self, num_repeats: usize) -> Self {
        Self { num_repeats: num_repeats.max(1), ..self }
    }

    /// The same, with every class equally often in an epoch: `by_class` holds the samples of each.
    #[must_use]
    pub(crate) fn with_balanced(self, by_class: Vec<Vec<usize>>) -> Self {
        Self { balanced: Some(by_class), ..self }
    }

    /// True when an augmentation decides the size of the images.
    pub(crate) fn augment_sets_size(&self) -> bool {
        self.pipeline.augment_sets_size()
    }

    /// The numbers that the network sees for these pixels.
    pub(crate) fn append_values(&self, pixels: &[u8], values: &mut Vec<f32>) {
        self.table.append(pixels, values);
    }

    /// The samples of each class, where every class comes equally often in an epoch.
    pub(crate) fn balanced(&self) -> Option<&[Vec<usize>]> {
        self.balanced.as_deref()
    }

    /// The same samples as an evaluation would see them.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn without_augmentation(&self) -> Result<Self, DataError> {
        let plain = Self::new(Arc::clone(&self.source), self.preprocess().clone(), Vec::new(), self.seed)?;
        Ok(Self { num_classes: self.num_classes, ..plain })
    }

    /// How often each sample comes in an epoch.
    pub fn num_repeats(&self) -> usize {
        self.num_repeats
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
        self.pipeline.preprocess()
    }

    /// Whether a sample may look different in each epoch.
    pub fn is_random(&self) -> bool {
        self.pipeline.is_random() || !self.batch_augment.is_empty()
    }

    /// Sample `index` as it looks in epoch `epoch`, with its label, before any batch transform.
    ///
    /// # Shapes
    ///
    /// `channels * height * width` values of the model's input.
    ///
    /// # Errors
    ///
    /// [`DataError::Index`] past the end; [`DataError::Label`]; what the source says when it cannot read the
    /// sample; [`DataError::Transform`] for an image that cannot be given the model's shape.
    pub fn get(&self, epoch: u64, index: usize) -> Result<(Vec<f32>, u32), DataError> {
        let mut pixels = Vec::with_capacity(self.preprocess().input.len());
        let label = self.append(epoch, [index, 0], &mut WorkingImage::new(), &mut pixels)?;
        let mut values = Vec::with_capacity(pixels.len());
        self.table.append(&pixels, &mut values);
        Ok((values, label))
    }

    /// Puts the pixels of sample `index`, which came `repeat` times before in the epoch, behind those of the samples
    /// before it; gives its label.
    pub(crate) fn append(
        &self,
        epoch: u64,
        [index, repeat]: [usize; 2],
        working: &mut WorkingImage,
        pixels: &mut Vec<u8>,
    ) -> Result<u32, DataError> {
        // A `Dataset` panics past its end; here that is an error like any other.
        let count = self.len();
        if index >= count {
            return Err(DataError::Index { index, count });
        }
        let Sample { image, label } = self.source.get(index)?;
        if let Some(num_classes) = self.num_classes.filter(|count| label as usize >= *count) {
            return Err(DataError::Label { index, label, num_classes });
        }
        if self.pipeline.is_done(&image)? {
            pixels.extend_from_slice(&image.pixels);
            return Ok(label);
        }
        let sample = SampleKey { seed: self.seed, epoch, index: index as u64, repeat: repeat as u64 };
        self.pipeline.apply(&image, working, &sample)?;
        pixels.extend_from_slice(working.pixels());
        Ok(label)
    }

    /// The pixels of whole samples as batch `number` of epoch `epoch`: transformed as a batch where it is
    /// asked for, otherwise as bytes.
    ///
    /// # Panics
    ///
    /// When a batch transform does, or has changed the number of images.
    pub(crate) fn batch(
        &self,
        epoch: u64,
        number: usize,
        pixels: Vec<u8>,
        labels: Vec<i64>,
        sample_indices: Vec<usize>,
    ) -> HostBatch {
        let input = self.preprocess().input;
        let shape = [labels.len(), input.channels, input.height, input.width];
        let pixels = HostPixels::Bytes(pixels, Arc::clone(&self.table));
        let (true, Some(num_classes)) = (!self.batch_augment.is_empty(), self.num_classes) else {
            let targets = HostTargets::Classes(labels.clone());
            return HostBatch { pixels, shape, targets, labels, sample_indices };
        };
        let images = pixels.into_floats(input.len());
        let num_values = images.len();
        let mut batch = MutableBatch { images, shape, targets: HostTargets::Classes(labels), num_classes };
        let mut generator = generator(self.seed, Purpose::BatchTransform, epoch, number as u64);
        for step in &self.batch_augment {
            step.apply(&mut batch, &mut generator);
        }
        let labels = batch.targets.hard_labels();
        let is_whole = batch.images.len() == num_values && batch.shape == shape && labels.len() == shape[0];
        assert!(is_whole, "a batch transform has changed the number or the shape of the images");
        let is_class = |label: &i64| usize::try_from(*label).is_ok_and(|label| label < num_classes);
        assert!(labels.iter().all(is_class), "a batch transform has given a class from {num_classes} on");
        let MutableBatch { images, shape, targets, .. } = batch;
        HostBatch { pixels: HostPixels::Floats(images), shape, targets, labels, sample_indices }
    }
}
