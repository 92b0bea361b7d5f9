//! Where a batch becomes tensors: the only file of this crate that knows Burn's tensors.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::transform::PixelTable;

/// A batch in host memory, as the loader's workers make it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostBatch {
    /// The images one after another, each channel by channel, row by row.
    pub pixels: HostPixels,
    /// Images, channels, height, width.
    pub shape: [usize; 4],
    /// What the network's output is compared with.
    pub targets: HostTargets,
    /// One class for each image, for accuracy: its own, or, of a mixed image, the class with the largest
    /// probability, the first among equals.
    pub labels: Vec<i64>,
    /// Which sample of the split each image is; of a mixed image, the sample that it began as.
    pub sample_indices: Vec<usize>,
}

/// The images of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum HostPixels {
    /// As they are stored, one byte a value, with what each value becomes.
    Bytes(Vec<u8>, Arc<PixelTable>),
    /// The numbers that the network sees.
    Floats(Vec<f32>),
}

/// What the network's output for each image is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum HostTargets {
    /// A class for each image.
    Classes(Vec<i64>),
    /// A probability of each class for each image, image by image; the probabilities of an image sum to 1.
    Probabilities {
        /// As many as images times classes.
        values: Vec<f32>,
        /// Number of classes; at least 1.
        num_classes: usize,
    },
}

/// [`HostTargets`] on a device.
#[derive(Clone, Debug)]
pub enum Targets {
    /// A class for each image.
    ///
    /// # Shapes
    ///
    /// `[images]`
    Classes(Tensor<1, Int>),
    /// A probability of each class for each image.
    ///
    /// # Shapes
    ///
    /// `[images, classes]`, rows sum to 1
    Probabilities(Tensor<2>),
}

/// A batch on a device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The images.
    ///
    /// # Shapes
    ///
    /// `[images, channels, height, width]`
    pub images_nchw: Tensor<4>,
    /// What the network's output is compared with.
    pub targets: Targets,
}

impl HostPixels {
    /// The numbers that the network sees; `values_per_image` is channels x height x width.
    pub fn into_floats(self, values_per_image: usize) -> Vec<f32> {
        match self {
            Self::Floats(values) => values,
            Self::Bytes(bytes, table) => {
                let mut values = Vec::with_capacity(bytes.len());
                for image in bytes.chunks_exact(values_per_image.max(1)) {
                    table.append(image, &mut values);
                }
                values
            }
        }
    }
}

impl HostTargets {
    fn into_tensors(self, num_images: usize, device: &Device) -> Targets {
        match self {
            Self::Classes(labels) => {
                Targets::Classes(Tensor::from_data(TensorData::new(labels, [num_images]), device))
            }
            Self::Probabilities { values, num_classes } => {
                let values = TensorData::new(values, [num_images, num_classes]);
                Targets::Probabilities(Tensor::from_data(values, device))
            }
        }
    }

    /// A probability of each of `num_classes` classes for each image, as for [`HostTargets::Probabilities`]: 1
    /// for the class of an image that has one.
    ///
    /// # Panics
    ///
    /// When a class is not below `num_classes`: the loader has refused such labels.
    pub fn into_probabilities(self, num_classes: usize) -> Vec<f32> {
        match self {
            Self::Probabilities { values, num_classes: given } => {
                assert_eq!(given, num_classes, "bug: probabilities of another number of classes");
                values
            }
            Self::Classes(labels) => {
                let mut values = vec![0.0; labels.len() * num_classes];
                for (row, label) in values.chunks_exact_mut(num_classes.max(1)).zip(labels) {
                    let class = usize::try_from(label).ok().filter(|class| *class < num_classes);
                    let class = class.unwrap_or_else(|| {
                        unreachable!("bug: label {label} of {num_classes} classes was not refused")
                    });
                    row[class] = 1.0;
                }
                values
            }
        }
    }

    /// The class of each image: its own, or the one with the largest probability, the first among equals.
    pub fn hard_labels(&self) -> Vec<i64> {
        match self {
            Self::Classes(labels) => labels.clone(),
            Self::Probabilities { values, num_classes } => {
                values.chunks_exact((*num_classes).max(1)).map(largest).collect()
            }
        }
    }
}

/// The place of the largest value, the first among equals.
fn largest(values: &[f32]) -> i64 {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = place;
        }
    }
    best as i64
}

impl HostBatch {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Moves the batch to `device`, in the device's own float and integer types. Pixels that are still
    /// bytes are converted here.
    ///
    /// # Shapes
    ///
    /// Those of [`Batch`]. A batch from the loader always fits its `shape`.
    pub fn to_tensors(self, device: &Device) -> Batch {
        let [num_images, channels, height, width] = self.shape;
        let images = TensorData::new(self.pixels.into_floats(channels * height * width), self.shape);
        let targets = self.targets.into_tensors(num_images, device);
        Batch { images_nchw: Tensor::from_data(images, device), targets }
    }

    /// Moves what the network's output is compared with to `device`, and leaves the images.
    ///
    /// # Shapes
    ///
    /// Those of [`Targets`].
    pub fn targets_to_tensors(self, device: &Device) -> Targets {
        self.targets.into_tensors(self.labels.len(), device)
    }
}
