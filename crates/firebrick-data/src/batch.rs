//! Where a batch becomes tensors: the only file of this crate that knows Burn's tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// A batch in host memory, as the loader's workers make it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostBatch {
    /// The images one after another, each channel by channel, row by row.
    pub images: Vec<f32>,
    /// Images, channels, height, width.
    pub shape: [usize; 4],
    /// The class of each image.
    pub labels: Vec<i64>,
    /// Which sample of the data set each image is.
    pub sample_indices: Vec<usize>,
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
    /// The class of each image.
    ///
    /// # Shapes
    ///
    /// `[images]`
    pub labels_n: Tensor<1, Int>,
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

    /// Moves the batch to `device`, in the device's own float and integer types.
    ///
    /// # Shapes
    ///
    /// Those of [`Batch`]. A batch from the loader always fits its `shape`.
    pub fn to_tensors(self, device: &Device) -> Batch {
        let images = TensorData::new(self.images, self.shape);
        let labels = TensorData::new(self.labels, [self.shape[0]]);
        Batch { images_nchw: Tensor::from_data(images, device), labels_n: Tensor::from_data(labels, device) }
    }
}
