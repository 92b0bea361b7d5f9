//! What the augmentations do once their random numbers are drawn: torchvision's `transforms.functional` on
//! PIL images.
//!
//! Every function here gives PIL's pixels, most of them to the last bit; `docs/augmentation.md` says which do
//! not. None of them has any chance in it.

mod crop;

pub use super::interpolation::Interpolation;
pub use super::window::Window;
pub use crop::resized_crop;
