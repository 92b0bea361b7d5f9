//! What the augmentations do once their random numbers are drawn: torchvision's `transforms.functional` on
//! PIL images.
//!
//! Every function here gives PIL's pixels, most of them to the last bit; `docs/augmentation.md` says which do
//! not. None of them has any chance in it.

mod blur;
mod crop;
mod enhance;
mod erase;
mod geometry;
mod hue;
mod operation;
mod pad;
mod table;
mod warp;

pub use super::interpolation::Interpolation;
pub use super::padding::PaddingMode;
pub use super::window::Window;
pub use blur::gaussian_blur;
pub use crop::{crop, resized_crop, rgb_to_grayscale};
pub use enhance::{adjust_brightness, adjust_contrast, adjust_saturation, adjust_sharpness};
pub(super) use erase::each_row;
pub use erase::erase;
pub use geometry::{AffineMap, affine, hflip, perspective, rotate, vflip};
pub use hue::adjust_hue;
pub use operation::{Operation, apply_op};
pub use pad::pad;
pub use table::{autocontrast, equalize, invert, posterize, solarize};
