//! What the frozen layers at a network's beginning give for each image: computed once and kept in host memory.
//!
//! Only where that changes no bit: the layers are frozen, images are the same in each epoch, and what comes of an image depends
//! on no other image of its batch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use firebrick_data::{Datasets, HostBatch, HostPixels, HostTargets, PreparedDataset};
use firebrick_kernels::computes_images_alone;
use firebrick_models::{Activations, FrozenPrefix, ImageClassifier, Shape};

use crate::backend::Backend;
use crate::event::Split;

/// Which images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Images {
    /// Those of the training split.
    Training,
    /// Those of a split that is evaluated.
    Of(Split),
}

/// The outputs that are kept of a run's splits.
pub(crate) struct FrozenOutputs {
    /// The layers.
    pub prefix: FrozenPrefix,
    /// What leaves them for an image.
    shape: Shape,
    /// Whether training images change from epoch to epoch.
    pub training_is_random: bool,
    /// Of the splits of which any are kept.
    splits: Vec<(Images, Mutex<Vec<Option<Kept>>>)>,
}

/// An image's output, and its class.
struct Kept {
    values: Arc<[f32]>,
    label: i64,
}

/// Which images a batch holds, and their classes, if each has one.
pub(crate) struct Labelled {
    sample_indices: Vec<usize>,
    labels: Option<Vec<i64>>,
}

impl Labelled {
    pub(crate) fn of(batch: &HostBatch) -> Self {
        let has_classes = matches!(batch.targets, HostTargets::Classes(_));
        Self {
            sample_indices: batch.sample_indices.clone(),
            labels: has_classes.then(|| batch.labels.clone()),
        }
    }
}

impl FrozenOutputs {
    /// Room for the outputs of the training split, where its images do not change, and of the split that is evaluated after
    /// each epoch, of at most `limit_mb` MiB together; the training split comes first. None where nothing could be kept.
    pub(crate) fn new<M: ImageClassifier>(
        backend: &Backend,
        datasets: &Datasets,
        model: &M,
        limit_mb: u64,
    ) -> Option<Self> {
        let network = model.network().filter(|_| computes_images_alone(&backend.device))?;
        let prefix = network.frozen_prefix()?;
        let [channels, height, width] = network.plan().input_shape();
        let one = Tensor::zeros([1, channels, height, width], &backend.device);
        let shape = match backend.scope(|| network.forward_prefix(prefix, one)) {
            Activations::Images(images_nchw) => {
                let [_, channels, height, width] = images_nchw.dims();
                Shape::Image([channels, height, width])
            }
            Activations::Features(features_nk) => Shape::Features(features_nk.dims()[1]),
        };
        let training_is_random = datasets.train.is_random();
        let mut found = Self { prefix, shape, training_is_random, splits: Vec::new() };
        let mut left = limit_mb.saturating_mul(1 << 20);
        let evaluated = match &datasets.validation {
            Some(split) => (Images::Of(Split::Validation), split),
            None => (Images::Of(Split::Test), &datasets.test),
        };
        for (images, split) in [(Images::Training, &datasets.train), evaluated] {
            if split.is_random() {
                continue;
            }
            let bytes = found.bytes_of(split);
            if bytes <= left {
                left -= bytes;
                let kept = std::iter::repeat_with(|| None).take(split.len()).collect();
                found.splits.push((images, Mutex::new(kept)));
            }
        }
        (!found.splits.is_empty()).then_some(found)
    }

    fn bytes_of(&self, split: &PreparedDataset) -> u64 {
        (split.len() as u64).saturating_mul(4 * self.shape.num_elements() as u64)
    }

    /// Bytes that all of them take.
    pub(crate) fn bytes(&self) -> u64 {
        let images: usize = self.splits.iter().map(|(_, kept)| lock(kept).len()).sum();
        4 * (images * self.shape.num_elements()) as u64
    }

    /// Whether outputs of these images are kept.
    pub(crate) fn keeps(&self, images: Images) -> bool {
        self.of(images).is_some()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for (_, kept) in &self.splits {
            lock(kept).iter_mut().for_each(|kept| *kept = None);
        }
    }

    /// What leaves the frozen layers for a batch of these images, on `device`; nothing where that is not known of all of them.
    pub(crate) fn of_batch(&self, images: Images, batch: &HostBatch, device: &Device) -> Option<Activations> {
        let kept = lock(self.of(images)?);
        let mut values = Vec::with_capacity(batch.len() * self.shape.num_elements());
        for index in &batch.sample_indices {
            values.extend_from_slice(&kept.get(*index)?.as_ref()?.values);
        }
        drop(kept);
        Some(match self.shape {
            Shape::Image([channels, height, width]) => {
                let data = TensorData::new(values, [batch.len(), channels, height, width]);
                Tensor::<4>::from_data(data, device).into()
            }
            Shape::Features(count) => {
                Tensor::<2>::from_data(TensorData::new(values, [batch.len(), count]), device).into()
            }
        })
    }

    /// Keeps what has left the frozen layers for a batch of images that have a class each.
    pub(crate) fn keep(&self, images: Images, batch: &Labelled, outputs: &Activations) {
        let (Some(kept), Some(labels)) = (self.of(images), &batch.labels) else { return };
        let data = match outputs {
            Activations::Images(images_nchw) => images_nchw.to_data(),
            Activations::Features(features_nk) => features_nk.to_data(),
        };
        let Ok(values) = data.as_slice::<f32>() else { return };
        let mut kept = lock(kept);
        let rows = values.chunks_exact(self.shape.num_elements());
        for ((index, label), row) in batch.sample_indices.iter().zip(labels).zip(rows) {
            if let Some(place) = kept.get_mut(*index) {
                *place = Some(Kept { values: row.into(), label: *label });
            }
        }
    }

    /// A batch of images that nobody has to read, as their outputs are known; nothing where they are not. It has no pixels.
    pub(crate) fn batch(&self, images: Images, indices: &[usize], shape: [usize; 3]) -> Option<HostBatch> {
        let kept = lock(self.of(images)?);
        let label = |index: &usize| Some(kept.get(*index)?.as_ref()?.label);
        let labels: Vec<i64> = indices.iter().map(label).collect::<Option<_>>()?;
        let [channels, height, width] = shape;
        Some(HostBatch {
            pixels: HostPixels::Floats(Vec::new()),
            shape: [labels.len(), channels, height, width],
            targets: HostTargets::Classes(labels.clone()),
            labels,
            sample_indices: indices.to_vec(),
        })
    }

    fn of(&self, images: Images) -> Option<&Mutex<Vec<Option<Kept>>>> {
        self.splits.iter().find(|(known, _)| *known == images).map(|(_, kept)| kept)
    }
}

/// Nobody panics while they hold it with half an image in it: a place is filled at once.
fn lock(kept: &Mutex<Vec<Option<Kept>>>) -> MutexGuard<'_, Vec<Option<Kept>>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
