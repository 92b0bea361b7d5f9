//! Bilinear resizing, to the last bit what PIL does.
//!
//! The image goes straight to the wanted height and width; its proportions are not kept and
//! nothing is cut off, as torchvision's `Resize((height, width))` does. When an image shrinks, the
//! triangle is widened by the same factor, so every source pixel counts (no aliasing).
//!
//! Written out rather than taken from the `image` crate: that one works in floats over four
//! channels whatever the image has, so its values differ from PIL's here and there by one, and a
//! small grey image costs it ten times as much.

use crate::transform::WorkingImage;

/// Fractional bits of a weight. Eight bits of pixel, one of sign, one to spare against overflow.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The source pixels that make one target pixel, and how much each counts.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Resizes to `height` x `width` pixels. The same size leaves the image as it is.
///
/// # Source
///
/// Pillow's `Resample.c` with `BILINEAR`, which is torchvision's `Resize` on PIL images: columns
/// first, then rows, weights rounded to 22 bits, eight-bit values in between.
pub(crate) fn resize(image: &mut WorkingImage, height: usize, width: usize) {
    if image.width() != width {
        resize_width(image, width);
    }
    if image.height() != height {
        resize_height(image, height);
    }
}

fn resize_width(image: &mut WorkingImage, width: usize) {
    let source_width = image.width();
    let taps = taps(source_width, width);
    let shape = [image.channels(), image.height(), width];
    image.rewrite(shape, |source, target| {
        let rows = source.chunks_exact(source_width);
        for (row, out) in rows.zip(target.chunks_exact_mut(width)) {
            for (out, tap) in out.iter_mut().zip(&taps) {
                let pixels = &row[tap.first..];
                let sum = pixels.iter().zip(&tap.weights).map(|(&p, &w)| i32::from(p) * w).sum();
                *out = round(sum);
            }
        }
    });
}

fn resize_height(image: &mut WorkingImage, height: usize) {
    let (source_height, width) = (image.height(), image.width());
    let taps = taps(source_height, height);
    let shape = [image.channels(), height, width];
    let mut sums = vec![0_i32; width];
    image.rewrite(shape, |source, target| {
        let planes = source.chunks_exact(source_height * width);
        for (plane, out) in planes.zip(target.chunks_exact_mut(height * width)) {
            for (out, tap) in out.chunks_exact_mut(width).zip(&taps) {
                sums.fill(0);
                let rows = plane[tap.first * width..].chunks_exact(width);
                for (row, &weight) in rows.zip(&tap.weights) {
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
}

/// Drops the fractional bits, to the nearest.
fn round(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS).clamp(0, 255) as u8
}

/// The taps of each target pixel along one side.
fn taps(source: usize, target: usize) -> Vec<Taps> {
    let scale = source as f64 / target as f64;
    let support = scale.max(1.0);
    (0..target).map(|index| taps_of(index, source, scale, support)).collect()
}

fn taps_of(index: usize, source: usize, scale: f64, support: f64) -> Taps {
    let centre = (index as f64 + 0.5) * scale;
    // `as usize` cuts towards zero and takes what is below zero as zero, as PIL does.
    let first = (centre - support + 0.5) as usize;
    let end = ((centre + support + 0.5) as usize).min(source);
    let raw: Vec<f64> = (first..end).map(|x| triangle((x as f64 - centre + 0.5) * (1.0 / support))).collect();
    let total: f64 = raw.iter().sum();
    let unit = f64::from(1_u32 << PRECISION_BITS);
    let weights = raw.iter().map(|weight| (0.5 + weight / total * unit) as i32).collect();
    Taps { first, weights }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}
