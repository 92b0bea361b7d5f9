//! Rectangles painted over.

use crate::transform::window::Window;
use crate::transform::working_image::WorkingImage;

/// Fills what of `window` lies inside the image: with the values of `colour`, one a channel.
///
/// # Source
///
/// torchvision `erase`.
pub fn erase(image: &mut WorkingImage, window: Window, colour: &[u8]) {
    each_row(image, window, |channel, row| row.fill(colour.get(channel).copied().unwrap_or(0)));
}

/// Hands out each row of `window` in each channel, to be painted over.
pub(in crate::transform) fn each_row(
    image: &mut WorkingImage,
    window: Window,
    mut paint: impl FnMut(usize, &mut [u8]),
) {
    let (height, width) = (image.height(), image.width());
    let (top, left) = (window.top.min(height), window.left.min(width));
    let columns = window.width.min(width - left);
    let rows = window.height.min(height - top);
    if image.is_empty() || rows * columns == 0 {
        return;
    }
    for (channel, plane) in image.pixels_mut().chunks_exact_mut(height * width).enumerate() {
        for row in plane.chunks_exact_mut(width).skip(top).take(rows) {
            paint(channel, &mut row[left..left + columns]);
        }
    }
}
