//! Bilinear resizing, to the last bit what PIL does.
//!
//! The image goes straight to the wanted height and width; its proportions are not kept and
//! nothing is cut off, as torchvision's `Resize((height, width))` does. When an image shrinks, the
//! triangle is widened by the same factor, so every source pixel counts (no aliasing).
//!
//! Written out rather than taken from the `image` crate: that one works in floats over four
//! channels whatever the image has, so its values differ from PIL's here and there by one, and a
//! small grey image costs it ten times as much.

use super::taps::PRECISION_BITS;
use super::working_image::WorkingImage;

/// Resizes to `height` x `width` pixels. The same size leaves the image as it is.
///
/// # Source
///
/// Pillow's `Resample.c` with `BILINEAR`, which is torchvision's `Resize` on PIL images: a pass
/// along each side, weights rounded to 22 bits, eight-bit values in between.
pub(super) fn resample(image: &mut WorkingImage, height: usize, width: usize) {
    if image.is_empty() || height == 0 || width == 0 {
        return;
    }
    if starts_with_rows(image, height, width) {
        resize_height(image, height);
    }
    resize_width(image, width);
    resize_height(image, height);
}

/// Which pass comes first shows in the result, by 1 here and there, because the values between the
/// passes are rounded. Pillow 13 starts with the rows when the height shrinks by more than twice
/// as many pixels as the width (true of 600 random sizes, all of them); before 13 it always
/// started with the columns.
fn starts_with_rows(image: &WorkingImage, height: usize, width: usize) -> bool {
    let removed_rows = image.height().saturating_sub(height);
    let removed_columns = image.width().saturating_sub(width);
    removed_rows > 2 * removed_columns
}

fn resize_width(image: &mut WorkingImage, width: usize) {
    let source_width = image.width();
    if source_width == width {
        return;
    }
    let shape = [image.channels(), image.height(), width];
    let mut taps = std::mem::take(&mut image.width_taps);
    taps.prepare(source_width, width);
    image.rewrite(shape, |source, target| {
        let rows = source.chunks_exact(source_width);
        for (row, out) in rows.zip(target.chunks_exact_mut(width)) {
            for (out, (first, weights)) in out.iter_mut().zip(taps.iter()) {
                let pixels = &row[first..first + weights.len()];
                let sum = pixels.iter().zip(weights).map(|(&p, &w)| i32::from(p) * w).sum();
                *out = round(sum);
            }
        }
    });
    image.width_taps = taps;
}

fn resize_height(image: &mut WorkingImage, height: usize) {
    let (source_height, width) = (image.height(), image.width());
    if source_height == height {
        return;
    }
    let shape = [image.channels(), height, width];
    let mut taps = std::mem::take(&mut image.height_taps);
    taps.prepare(source_height, height);
    let mut sums = vec![0_i32; width];
    image.rewrite(shape, |source, target| {
        let planes = source.chunks_exact(source_height * width);
        for (plane, out) in planes.zip(target.chunks_exact_mut(height * width)) {
            for (out, (first, weights)) in out.chunks_exact_mut(width).zip(taps.iter()) {
                sums.fill(0);
                let rows = plane[first * width..].chunks_exact(width);
                for (row, &weight) in rows.zip(weights) {
                    for (sum, &pixel) in sums.iter_mut().zip(row) {
                        *sum += i32::from(pixel) * weight;
                    }
                }
                for (out, &sum) in out.iter_mut().zip(&sums) {
                    *out = round(sum);
                }
            }
        }
    });
    image.height_taps = taps;
}

/// Drops the fractional bits, to the nearest.
fn round(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS).clamp(0, 255) as u8
}
