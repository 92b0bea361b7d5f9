//! The frozen layers in front of a network's first trained one, and what they give for each image: computed once and kept in
//! host memory.
//!
//! Outputs are kept only where that changes no bit: the layers are frozen, images are the same in each epoch, and what comes of
//! an image depends on no other one. For the last, batches of these layers always have one size: kernels are chosen by the
//! batch's size, and sum in another order. Kernels are our own where outputs are kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use firebrick_data::{Datasets, HostBatch, HostPixels, HostTargets};
use firebrick_kernels::has_kernels_for;
use firebrick_models::{Activations, FrozenPrefix, ImageClassifier, Network, Shape};

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

/// The frozen layers of a run, and their outputs as far as they are kept.
pub(crate) struct FrozenLayers {
    /// Which layers.
    pub prefix: FrozenPrefix,
    /// Whether training images change from epoch to epoch.
    pub training_is_random: bool,
    /// As many images go through them at once.
    batch_size: usize,
    /// What leaves them for an image.
    shape: Shape,
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

impl FrozenLayers {
    /// Those of a network in training, if it has any, for batches of `batch_size` images. There is room for the outputs of the
    /// training split, where its images do not change, and of the split that is evaluated after each epoch, of at most
    /// `limit_mb` MiB together; the training split comes first.
    pub(crate) fn new<M: ImageClassifier>(
        backend: &Backend,
        datasets: &Datasets,
        model: &M,
        batch_size: usize,
        limit_mb: u64,
    ) -> Option<Self> {
        let network = model.network()?;
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
        let mut found = Self { prefix, training_is_random, batch_size, shape, splits: Vec::new() };
        if has_kernels_for(&backend.device) {
            found.make_room(datasets, limit_mb.saturating_mul(1 << 20));
        }
        Some(found)
    }

    fn make_room(&mut self, datasets: &Datasets, limit: u64) {
        let mut left = limit;
        let evaluated = match &datasets.validation {
            Some(split) => (Images::Of(Split::Validation), split),
            None => (Images::Of(Split::Test), &datasets.test),
        };
        for (images, split) in [(Images::Training, &datasets.train), evaluated] {
            let bytes = (split.len() as u64).saturating_mul(4 * self.shape.num_elements() as u64);
            if bytes <= left && !split.is_random() {
                left -= bytes;
                let kept = std::iter::repeat_with(|| None).take(split.len()).collect();
                self.splits.push((images, Mutex::new(kept)));
            }
        }
    }

    /// Bytes that all outputs take that are to be kept.
    pub(crate) fn bytes(&self) -> u64 {
        let images: usize = self.splits.iter().map(|(_, kept)| lock(kept).len()).sum();
        4 * (images * self.shape.num_elements()) as u64
    }

    /// Whether outputs of these images are kept.
    pub(crate) fn keeps(&self, images: Images) -> bool {
        self.of(images).is_some()
    }

    /// What leaves the layers for some images, outside of autodiff.
    ///
    /// # Shapes
    ///
    /// - `images_nchw`: as the network takes them
    pub(crate) fn forward(&self, network: &Network, images_nchw: Tensor<4>) -> Activations {
        let images_nchw = images_nchw.without_autodiff();
        let count = images_nchw.dims()[0];
        let parts = (0..count).step_by(self.batch_size).map(|first| {
            let size = self.batch_size.min(count - first);
            let part = images_nchw.clone().narrow(0, first, size);
            first_images(network.forward_prefix(self.prefix, self.filled_up(part)), size)
        });
        together(parts.collect())
    }

    /// The last image again and again, up to a whole batch.
    fn filled_up(&self, images_nchw: Tensor<4>) -> Tensor<4> {
        let size = images_nchw.dims()[0];
        if size == self.batch_size {
            return images_nchw;
        }
        let last = images_nchw.clone().narrow(0, size - 1, 1);
        Tensor::cat(vec![images_nchw, last.repeat_dim(0, self.batch_size - size)], 0)
    }

    /// What leaves the layers for a batch of these images, on `device`; nothing where that is not known of all of them.
    pub(crate) fn known(&self, images: Images, batch: &HostBatch, device: &Device) -> Option<Activations> {
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

    /// Keeps what has left the layers for a batch of images that have a class each.
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

fn first_images(outputs: Activations, count: usize) -> Activations {
    match outputs {
        Activations::Images(images_nchw) => images_nchw.narrow(0, 0, count).into(),
        Activations::Features(features_nk) => features_nk.narrow(0, 0, count).into(),
    }
}

/// One batch of several; a single one as it is.
fn together(mut parts: Vec<Activations>) -> Activations {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    match parts.first() {
        Some(Activations::Images(_)) => {
            Tensor::cat(parts.into_iter().map(Activations::images).collect(), 0).into()
        }
        _ => Tensor::cat(parts.into_iter().map(Activations::features).collect(), 0).into(),
    }
}
