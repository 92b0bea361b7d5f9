//! What happens to a training batch between its images and the tensor: `data.batch_augment`.
//!
//! A batch transform is one file, which implements [`BatchTransform`], and one line in `list.rs`; a program
//! adds its own by [`BatchTransformConfig::register`].

mod interface;
mod list;
mod mixup;

pub use interface::{BatchTransform, MutableBatch};
pub use list::BatchTransformConfig;
pub use mixup::MixupConfig;
