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

/// Which source pixels make each target pixel along one side, and how much each counts.
///
/// A worker keeps the last one of each side: most data sets have images of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taps {
    source: usize,
    target: usize,
    /// Source pixels for each target pixel; some may weigh nothing.
    num: usize,
    /// The first of them for each target pixel.
    first: Vec<usize>,
    /// `num` weights for each target pixel.
    weights: Vec<i32>,
}

/// Resizes to `height` x `width` pixels. The same size leaves the image as it is.
///
/// # Source
///
/// Pillow's `Resample.c` with `BILINEAR`, which is torchvision's `Resize` on PIL images: a pass
/// along each side, weights rounded to 22 bits, eight-bit values in between.
pub(crate) fn resize(image: &mut WorkingImage, height: usize, width: usize) {
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

impl Taps {
    /// Makes the taps from `source` to `target` pixels, unless these are they.
    fn prepare(&mut self, source: usize, target: usize) {
        if (self.source, self.target) == (source, target) {
            return;
        }
        let scale = source as f64 / target as f64;
        let support = scale.max(1.0);
        let num = (support.ceil() as usize * 2 + 1).min(source);
        *self = Self { source, target, num, first: Vec::new(), weights: Vec::new() };
        for index in 0..target {
            self.push((index as f64 + 0.5) * scale, support);
        }
    }

    /// Adds the taps of a target pixel whose middle lies at `centre` among the source pixels.
    fn push(&mut self, centre: f64, support: f64) {
        // `as usize` cuts towards zero and takes what is below zero as zero, as Pillow does.
        let begin = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(self.source);
        let distance = |x: usize| (x as f64 - centre + 0.5) * (1.0 / support);
        let total: f64 = (begin..end).map(|x| triangle(distance(x))).sum();
        let unit = f64::from(1_u32 << PRECISION_BITS);
        // All target pixels get equally many, so at the far end the first ones weigh nothing.
        let first = begin.min(self.source - self.num);
        self.first.push(first);
        self.weights.extend((first..first + self.num).map(|x| match (begin..end).contains(&x) {
            true => (0.5 + triangle(distance(x)) / total * unit) as i32,
            false => 0,
        }));
    }

    /// The first source pixel and the weights from there on, for each target pixel.
    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.first.iter().copied().zip(self.weights.chunks_exact(self.num))
    }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}
