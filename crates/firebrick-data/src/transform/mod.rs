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

mod aug_mix;
mod auto_augment;
mod center_crop;
mod channels;
mod color_jitter;
mod crop;
mod cutout;
mod fill;
mod fit;
pub mod functional;
mod gaussian_blur;
mod interface;
mod interpolation;
mod list;
mod normalize;
mod numbers;
mod pad;
mod padding;
mod pipeline;
mod pixel_table;
mod policy;
mod preprocess;
mod rand_augment;
mod random_adjust_sharpness;
mod random_affine;
mod random_apply;
mod random_autocontrast;
mod random_choice;
mod random_crop;
mod random_equalize;
mod random_erasing;
mod random_grayscale;
mod random_horizontal_flip;
mod random_invert;
mod random_perspective;
mod random_posterize;
mod random_resized_crop;
mod random_rotation;
mod random_solarize;
mod random_vertical_flip;
mod range;
mod resample;
mod resize;
mod side;
mod steps;
mod taps;
mod trivial_augment;
mod window;
mod working_image;

pub use crate::transform_error::TransformError;
pub use aug_mix::{AugMixConfig, AugMixDraw};
pub use auto_augment::AutoAugmentConfig;
pub use center_crop::CenterCropConfig;
pub use color_jitter::{ColorJitterConfig, ColorJitterDraw};
pub use cutout::CutoutConfig;
pub use fill::Fill;
pub use fit::{Resize, ShorterConfig};
pub use gaussian_blur::GaussianBlurConfig;
pub use interface::{SampleKey, Transform};
pub use interpolation::Interpolation;
pub use list::TransformConfig;
pub use normalize::{Normalization, Normalize};
pub use numbers::Numbers;
pub use pad::PadConfig;
pub use padding::PaddingMode;
pub use pipeline::Pipeline;
pub use pixel_table::PixelTable;
pub use policy::Policy;
pub use preprocess::Preprocess;
pub use rand_augment::RandAugmentConfig;
pub use random_adjust_sharpness::RandomAdjustSharpnessConfig;
pub use random_affine::RandomAffineConfig;
pub use random_apply::RandomApplyConfig;
pub use random_autocontrast::RandomAutocontrastConfig;
pub use random_choice::RandomChoiceConfig;
pub use random_crop::RandomCropConfig;
pub use random_equalize::RandomEqualizeConfig;
pub use random_erasing::{EraseValue, RandomErasingConfig};
pub use random_grayscale::RandomGrayscaleConfig;
pub use random_horizontal_flip::RandomHorizontalFlipConfig;
pub use random_invert::RandomInvertConfig;
pub use random_perspective::RandomPerspectiveConfig;
pub use random_posterize::RandomPosterizeConfig;
pub use random_resized_crop::RandomResizedCropConfig;
pub use random_rotation::RandomRotationConfig;
pub use random_solarize::RandomSolarizeConfig;
pub use random_vertical_flip::RandomVerticalFlipConfig;
pub use resize::ResizeConfig;
pub use side::Sides;
pub use trivial_augment::TrivialAugmentConfig;
pub use working_image::WorkingImage;
