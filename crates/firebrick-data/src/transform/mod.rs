//! What happens to an image between the file and the tensor.
//!
//! ```text
//! validation, test, prediction:  image -> channels -> data.resize ---------------------> / 255 -> normalise -> f32
//! training:                      image -> channels -> data.resize -> augmentations ----> / 255 -> normalise -> f32
//!   with a step that sets sizes: image -> channels -> augmentations, the model's size -> / 255 -> normalise -> f32
//!                                \_________________________________ pixels, one byte ___/
//! ```
//!
//! Every step is torchvision's on PIL images, to the last bit where no chance is involved. [`Preprocess`]
//! is the part without chance. An augmentation is one file, which implements [`Transform`], and one line
//! in `list.rs`; a program adds its own by [`TransformConfig::register`].

mod center_crop;
mod channels;
mod crop;
mod fit;
pub mod functional;
mod interface;
mod interpolation;
mod list;
mod normalize;
mod pipeline;
mod pixel_table;
mod preprocess;
pub mod random_crop;
pub mod random_horizontal_flip;
mod random_resized_crop;
mod range;
mod resample;
mod resize;
mod side;
mod taps;
mod window;
mod working_image;

pub use crate::transform_error::TransformError;
pub use center_crop::CenterCropConfig;
pub use fit::{Resize, ShorterConfig};
pub use interface::Transform;
pub use interpolation::Interpolation;
pub use list::TransformConfig;
pub use normalize::{Normalization, Normalize};
pub use pipeline::Pipeline;
pub use pixel_table::PixelTable;
pub use preprocess::Preprocess;
pub use random_crop::{PaddingMode, RandomCropConfig};
pub use random_horizontal_flip::RandomHorizontalFlipConfig;
pub use random_resized_crop::RandomResizedCropConfig;
pub use resize::ResizeConfig;
pub use side::Sides;
pub use working_image::WorkingImage;
