//! Windows cut out, and colours taken away.

use crate::shape::ImageSize;
use crate::transform::channels::luma;
use crate::transform::crop::crop as crop_at;
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

/// Cuts out `size` pixels from row `top` and column `left` on; what lies outside of the image is black.
///
/// # Source
///
/// torchvision `crop`.
pub fn crop(image: &mut WorkingImage, top: isize, left: isize, size: ImageSize) {
    crop_at(image, top, left, size);
}

/// Takes the colours away; the number of channels stays.
///
/// # Source
///
/// torchvision `rgb_to_grayscale` on PIL images.
pub fn rgb_to_grayscale(image: &mut WorkingImage) {
    if image.channels() != 3 {
        return;
    }
    let area = image.height() * image.width();
    let (red, rest) = image.pixels_mut().split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let grey = luma(*red, *green, *blue);
        (*red, *green, *blue) = (grey, grey, grey);
    }
}
