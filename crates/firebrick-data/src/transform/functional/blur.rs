//! Gaussian blur.

use crate::transform::padding::PaddingMode;
use crate::transform::working_image::WorkingImage;

/// Blurs with a Gaussian of `kernel_size` pixels (along x and y, odd) and standard deviations `sigma`, pixels. Borders
/// are mirrored.
///
/// # Source
///
/// torchvision `gaussian_blur`, one side after the other and not both at once: sums differ in their last bits.
pub fn gaussian_blur(image: &mut WorkingImage, kernel_size: [usize; 2], sigma: [f64; 2]) {
    if image.is_empty() {
        return;
    }
    let [along_x, along_y] = [0, 1].map(|side| weights(kernel_size[side], sigma[side]));
    let (channels, height, width) = (image.channels(), image.height(), image.width());
    let columns = sources(along_x.len(), width);
    let rows = sources(along_y.len(), height);
    // Rows blurred along x, mirrored ones only once.
    let mut blurred = vec![0.0_f32; height * width];
    let mut padded = vec![0.0_f32; columns.len()];
    let mut sums = vec![0.0_f32; width];
    for plane in image.pixels_mut().chunks_exact_mut(height * width).take(channels) {
        for (row, out) in plane.chunks_exact(width).zip(blurred.chunks_exact_mut(width)) {
            padded.iter_mut().zip(&columns).for_each(|(value, &column)| *value = f32::from(row[column]));
            out.fill(0.0);
            for (shift, &weight) in along_x.iter().enumerate() {
                add_scaled(out, &padded[shift..], weight);
            }
        }
        for (y, out) in plane.chunks_exact_mut(width).enumerate() {
            sums.fill(0.0);
            for (&row, &weight) in rows[y..].iter().zip(&along_y) {
                add_scaled(&mut sums, &blurred[row * width..], weight);
            }
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = sum.round_ties_even() as u8);
        }
    }
}

fn add_scaled(sums: &mut [f32], values: &[f32], weight: f32) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
}

/// The weights of `size` pixels; they sum to 1.
fn weights(size: usize, sigma: f64) -> Vec<f32> {
    // torchvision's: evenly spaced over (size - 1) / (2 sqrt 2), then the softmax of the negative squares.
    let middle = (size.max(1) - 1) as f64 / 2.0;
    let values: Vec<f64> =
        (0..size.max(1)).map(|index| (-0.5 * ((index as f64 - middle) / sigma).powi(2)).exp()).collect();
    let total: f64 = values.iter().sum();
    values.iter().map(|value| (value / total) as f32).collect()
}

/// Which pixel each of the `length` pixels with its mirrored borders shows.
fn sources(kernel: usize, length: usize) -> Vec<usize> {
    let border = (kernel / 2) as isize;
    let mirrored = |at: isize| PaddingMode::Reflect.source(at, length).unwrap_or(0);
    (-border..length as isize + border).map(mirrored).collect()
}
