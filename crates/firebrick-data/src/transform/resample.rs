//! Resizing, to the last bit what PIL does.
//!
//! The image goes straight to the wanted height and width; its proportions are not kept and
//! nothing is cut off, as torchvision's `Resize((height, width))` does. When an image shrinks, the
//! kernel is widened by the same factor, so every source pixel counts (no aliasing).
//!
//! Written out rather than taken from the `image` crate: that one works in floats over four
//! channels whatever the image has, so its values differ from PIL's here and there by one, and a
//! small grey image costs it ten times as much.

use super::crop::crop;
use super::interpolation::Interpolation;
use super::taps::{Kernel, PRECISION_BITS, Taps};
use super::window::Window;
use super::working_image::WorkingImage;
use crate::shape::ImageSize;

/// Resizes to `height` x `width` pixels, bilinear. The same size leaves the image as it is.
///
/// # Source
///
/// Pillow's `Resample.c` with `BILINEAR`, which is torchvision's `Resize` on PIL images: a pass
/// along each side, weights rounded to 22 bits, eight-bit values in between.
pub(super) fn resample(image: &mut WorkingImage, height: usize, width: usize) {
    let window = Window::whole(image.size());
    resample_window(image, window, ImageSize { height, width }, Interpolation::Bilinear);
}

/// Cuts out `window`, which lies inside the image, and resizes it to `target`.
///
/// # Source
///
/// torchvision `resized_crop` on PIL images.
pub(super) fn resample_window(
    image: &mut WorkingImage,
    window: Window,
    target: ImageSize,
    interpolation: Interpolation,
) {
    if image.is_empty() || target.height == 0 || target.width == 0 || window.height * window.width == 0 {
        return;
    }
    let kernel = match interpolation {
        Interpolation::Nearest => return take_nearest(image, window, target),
        Interpolation::Bilinear => Kernel::Triangle,
        Interpolation::Bicubic => Kernel::Cubic,
    };
    let mut window = window;
    if starts_with_rows(window.size(), target) {
        window = resize_height(image, window, target.height, kernel);
    }
    window = resize_width(image, window, target.width, kernel);
    window = resize_height(image, window, target.height, kernel);
    crop(image, window.top as isize, window.left as isize, target);
}

/// Which pass comes first shows in the result, by 1 here and there, because the values between the
/// passes are rounded. Pillow 13 starts with the rows when the height shrinks by more than twice
/// as many pixels as the width (true of 600 random sizes, all of them); before 13 it always
/// started with the columns.
fn starts_with_rows(source: ImageSize, target: ImageSize) -> bool {
    let removed_rows = source.height.saturating_sub(target.height);
    let removed_columns = source.width.saturating_sub(target.width);
    removed_rows > 2 * removed_columns
}

/// Gives `window` the wanted width; afterwards the image is the window, unless it had that width.
fn resize_width(image: &mut WorkingImage, window: Window, width: usize, kernel: Kernel) -> Window {
    if window.width == width {
        return window;
    }
    let (stride, area) = (image.width(), image.width() * image.height());
    let shape = [image.channels(), window.height, width];
    let mut taps = std::mem::take(&mut image.width_taps);
    taps.prepare(window.width, width, kernel);
    image.rewrite(shape, |source, target| {
        let planes = source.chunks_exact(area);
        for (plane, out) in planes.zip(target.chunks_exact_mut(window.height * width)) {
            let rows = plane.chunks_exact(stride).skip(window.top);
            for (row, out) in rows.zip(out.chunks_exact_mut(width)) {
                resize_row(&row[window.left..][..window.width], &taps, out);
            }
        }
    });
    image.width_taps = taps;
    Window::whole(image.size())
}

/// The usual numbers of taps have loops of their own, which are unrolled.
fn resize_row(row: &[u8], taps: &Taps, out: &mut [u8]) {
    match taps.num() {
        3 => resize_row_by::<3>(row, taps, out),
        5 => resize_row_by::<5>(row, taps, out),
        7 => resize_row_by::<7>(row, taps, out),
        _ => {
            for (out, (first, weights)) in out.iter_mut().zip(taps.iter()) {
                let pixels = &row[first..first + weights.len()];
                let sum = pixels.iter().zip(weights).map(|(&p, &w)| i32::from(p) * w).sum();
                *out = round(sum);
            }
        }
    }
}

fn resize_row_by<const N: usize>(row: &[u8], taps: &Taps, out: &mut [u8]) {
    for (out, (first, weights)) in out.iter_mut().zip(taps.iter()) {
        let pixels = &row[first..first + N];
        let sum = pixels.iter().zip(&weights[..N]).map(|(&p, &w)| i32::from(p) * w).sum();
        *out = round(sum);
    }
}

/// Gives `window` the wanted height; afterwards the image is the window, unless it had that height.
fn resize_height(image: &mut WorkingImage, window: Window, height: usize, kernel: Kernel) -> Window {
    if window.height == height {
        return window;
    }
    let (stride, area, width) = (image.width(), image.width() * image.height(), window.width);
    let shape = [image.channels(), height, width];
    let mut taps = std::mem::take(&mut image.height_taps);
    taps.prepare(window.height, height, kernel);
    let mut sums = vec![0_i32; width];
    image.rewrite(shape, |source, target| {
        let planes = source.chunks_exact(area);
        for (plane, out) in planes.zip(target.chunks_exact_mut(height * width)) {
            for (out, (first, weights)) in out.chunks_exact_mut(width).zip(taps.iter()) {
                sums.fill(0);
                let rows = plane[(window.top + first) * stride..].chunks_exact(stride);
                for (row, &weight) in rows.zip(weights) {
                    for (sum, &pixel) in sums.iter_mut().zip(&row[window.left..][..width]) {
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
    Window::whole(image.size())
}

/// Drops the fractional bits, to the nearest.
fn round(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Each target pixel is the source pixel under its middle.
///
/// # Source
///
/// Pillow's `ImagingScaleAffine`: places are found by adding up the step.
fn take_nearest(image: &mut WorkingImage, window: Window, target: ImageSize) {
    let (stride, area) = (image.width(), image.width() * image.height());
    let rows = nearest_places(window.top, window.height, target.height);
    let columns = nearest_places(window.left, window.width, target.width);
    image.rewrite([image.channels(), target.height, target.width], |source, out| {
        let planes = source.chunks_exact(area);
        for (plane, out) in planes.zip(out.chunks_exact_mut(target.height * target.width)) {
            for (&row, out) in rows.iter().zip(out.chunks_exact_mut(target.width)) {
                let row = &plane[row * stride..][..stride];
                for (out, &column) in out.iter_mut().zip(&columns) {
                    *out = row[column];
                }
            }
        }
    });
}

fn nearest_places(start: usize, source: usize, target: usize) -> Vec<usize> {
    let step = source as f64 / target as f64;
    let mut place = step * 0.5;
    let mut next = || {
        let here = (place as usize).min(source - 1);
        place += step;
        start + here
    };
    (0..target).map(|_| next()).collect()
}
