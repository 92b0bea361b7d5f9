//! Windows cut out.

use crate::shape::ImageSize;
use crate::transform::interpolation::Interpolation;
use crate::transform::resample::resample_window;
use crate::transform::window::Window;
use crate::transform::working_image::WorkingImage;

/// Cuts out `window` and resizes it to `size`. A window that leaves the image is cut to what lies inside of it.
///
/// # Source
///
/// torchvision `resized_crop` on PIL images, with antialiasing as PIL always has it.
pub fn resized_crop(image: &mut WorkingImage, window: Window, size: ImageSize, interpolation: Interpolation) {
    let (top, left) = (window.top.min(image.height()), window.left.min(image.width()));
    let height = window.height.min(image.height() - top);
    let width = window.width.min(image.width() - left);
    resample_window(image, Window { top, left, height, width }, size, interpolation);
}
