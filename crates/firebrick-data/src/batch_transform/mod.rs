//! What happens to a training batch between its images and the tensor: `data.batch_augment`.
//!
//! A batch transform is one file, which implements [`BatchTransform`], and one line in `list.rs`; a program
//! adds its own by [`BatchTransformConfig::register`].

mod cutmix;
mod interface;
mod list;
mod mix;
mod mixup;
mod random_choice;

pub use cutmix::CutmixConfig;
pub use interface::{BatchTransform, MutableBatch};
pub use list::BatchTransformConfig;
pub use mixup::MixupConfig;
pub use random_choice::BatchRandomChoiceConfig;
