//! Images in, batches out: the sources (CIFAR, IDX, image folder, digits, synthetic), the
//! transforms, the order of an epoch, the loader and the download.
//!
//! Read the files in the order of the data: [`source`] finds and checks the samples, `open.rs` parts them
//! into training, validation and test, [`order`] says which comes when, [`transform`] gives an image
//! the model's shape, [`loader`] gathers images into batches, [`batch_transform`] mixes those, and `batch.rs` is the
//! one file in which they become tensors.
//!
//! A data set, an augmentation and a batch transform are one file and one line each. A program adds its
//! own under a name that a config can use: `DatasetConfig::register::<MyData>("my_data")`,
//! [`TransformConfig::register`], [`BatchTransformConfig::register`].
//!
//! ```
//! use firebrick_data::{DataConfig, InputShape, open, source::DigitsConfig};
//!
//! # fn main() -> Result<(), firebrick_data::DataError> {
//! let config = DataConfig::new(DigitsConfig {}); // compiled in: needs no files
//! let input = InputShape { channels: 1, height: 8, width: 8 };
//! let datasets = open(&config, input, 0, &())?;
//! assert_eq!(datasets.info.class_names.len(), 10);
//! assert_eq!(datasets.info.train_count + datasets.info.test_count, 1797);
//! # Ok(())
//! # }
//! ```

mod bad_image;
mod balance;
mod batch;
pub mod batch_transform;
mod cache;
mod config;
mod config_table;
mod dataset_choice;
mod datasets;
pub mod download;
mod duplicates;
mod error;
mod hold_out;
mod image;
mod image_file;
mod info;
pub mod loader;
mod memory;
mod open;
pub mod order;
mod part;
pub mod pickle;
mod prepared;
mod progress;
pub mod random;
mod shape;
pub mod source;
mod split;
mod splits;
mod stages;
pub mod transform;
mod transform_error;
mod windows;

pub use bad_image::{OnBadImage, SkippedImages};
pub use balance::{ClassWeights, Sampler};
pub use batch::{Batch, HostBatch, HostPixels, HostTargets, Targets};
pub use batch_transform::{BatchTransform, BatchTransformConfig};
pub use burn_dataset::Dataset;
pub use cache::Cache;
pub use config::DataConfig;
pub use dataset_choice::DatasetChoice;
pub use datasets::Datasets;
pub use error::DataError;
pub use hold_out::HoldOut;
pub use image::{Image, Sample};
pub use image_file::load_image_file;
pub use info::DatasetInfo;
pub use loader::{DataLoader, EpochBatches, LoaderOptions};
pub use open::{find, open};
pub use prepared::PreparedDataset;
pub use progress::{Progress, offline_by_environment};
pub use shape::{ImageSize, InputShape};
pub use source::{DatasetConfig, DatasetSource};
pub use split::{Limit, SplitSpec, StoredSplit};
pub use stages::{StageTimes, measure_stages};
pub use transform::{
    Interpolation, Normalization, Normalize, Preprocess, Resize, ShorterConfig, Transform, TransformConfig,
};
pub use windows::window_moments;
