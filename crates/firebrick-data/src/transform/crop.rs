//! Windows cut out of an image, black where they leave it.

use super::working_image::WorkingImage;
use crate::shape::ImageSize;

/// Cuts out the middle.
///
/// # Source
///
/// torchvision `center_crop`: where a number of pixels is odd, the halves are rounded as there.
pub(super) fn crop_center(image: &mut WorkingImage, size: ImageSize) {
    let start = |have: usize, want: usize| match have.checked_sub(want) {
        Some(removed) => half(removed) as isize,
        None => -(((want - have) / 2) as isize),
    };
    let (top, left) = (start(image.height(), size.height), start(image.width(), size.width));
    crop(image, top, left, size);
}

/// Half of `count`, and of two equally near whole numbers the even one, as Python's `round` has it.
pub(super) fn half(count: usize) -> usize {
    let (half, is_odd) = (count / 2, count % 2 == 1);
    if is_odd && half % 2 == 1 { half + 1 } else { half }
}

/// Cuts out the window whose upper left corner is at row `top` and column `left`; what of it lies outside
/// the image is black.
pub(super) fn crop(image: &mut WorkingImage, top: isize, left: isize, size: ImageSize) {
    let have = image.size();
    if image.is_empty() || (top, left, size) == (0, 0, have) {
        return;
    }
    // Which columns of the window show the image, and from which of its columns on.
    let before = left.min(0).unsigned_abs().min(size.width);
    let first = left.max(0) as usize;
    let shown = have.width.saturating_sub(first).min(size.width - before);
    image.rewrite([image.channels(), size.height, size.width], |source, target| {
        target.fill(0);
        let planes = source.chunks_exact(have.height * have.width);
        for (plane, out) in planes.zip(target.chunks_exact_mut(size.height * size.width)) {
            for (row, out) in (top..).zip(out.chunks_exact_mut(size.width)) {
                let inside = usize::try_from(row).ok().filter(|row| *row < have.height);
                if let (Some(row), true) = (inside, shown > 0) {
                    let start = row * have.width + first;
                    out[before..before + shown].copy_from_slice(&plane[start..start + shown]);
                }
            }
        }
    });
}
