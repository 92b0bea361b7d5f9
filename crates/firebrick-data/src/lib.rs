//! Images in, batches out: the sources (CIFAR, IDX, image folder, digits, synthetic), the
//! transforms, the order of an epoch, the loader and the download.
//!
//! Read the files in the order of the data: [`source`] finds and checks the samples, [`order`]
//! says which comes when, [`transform`] and [`prepared`] turn a sample into numbers, [`loader`]
//! gathers them into batches, and `batch.rs` is the one file in which they become tensors.
//!
//! ```
//! use firebrick_data::{DataConfig, DatasetName, InputShape, open};
//!
//! # fn main() -> Result<(), firebrick_data::DataError> {
//! let config = DataConfig::new(DatasetName::Digits); // compiled in: needs no files
//! let input = InputShape { channels: 1, height: 8, width: 8 };
//! let datasets = open(&config, input, 0, &())?;
//! assert_eq!(datasets.info.class_names.len(), 10);
//! assert_eq!(datasets.info.train_count + datasets.info.test_count, 1797);
//! # Ok(())
//! # }
//! ```

mod batch;
mod config;
pub mod download;
mod error;
mod image;
mod info;
pub mod loader;
mod open;
pub mod order;
pub mod pickle;
mod prepared;
mod progress;
pub mod random;
pub mod source;
pub mod transform;

pub use batch::{Batch, HostBatch};
pub use config::{DataConfig, DatasetName, Limit, Normalize, SplitSpec};
pub use error::DataError;
pub use image::{Image, Sample, load_image_file};
pub use info::{DatasetInfo, Datasets, InputShape, Normalization};
pub use loader::{DataLoader, EpochBatches, LoaderOptions};
pub use open::open;
pub use prepared::PreparedDataset;
pub use progress::Progress;
pub use transform::{AugmentConfig, Preprocess};
