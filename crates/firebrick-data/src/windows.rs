//! What the windows of a split's images are like, for layers whose weights are made from them.

use crate::error::DataError;
use crate::prepared::PreparedDataset;

/// The mean, over all windows of some images, of the products of each two numbers of a window; the images are those at
/// equal distances in the split, without augmentation.
///
/// # Shapes
///
/// `[length, length]` with `length` = channels * height * width of a window, `[channels, height, width]` row by row.
///
/// # Errors
///
/// What reading the images may say.
///
/// # Panics
///
/// If the window is larger than the images.
pub fn window_moments(
    split: &PreparedDataset,
    num_images: usize,
    [height, width]: [usize; 2],
) -> Result<Vec<f64>, DataError> {
    let split = split.without_augmentation()?;
    let input = split.preprocess().input;
    assert!(height <= input.height && width <= input.width, "bug: the window is larger than the image");
    let length = input.channels * height * width;
    let (rows, columns) = (input.height + 1 - height, input.width + 1 - width);
    let num_images = num_images.min(split.len());
    let mut sums = vec![0.0_f64; length * length];
    let mut window = vec![0.0_f64; length];
    for image in 0..num_images {
        // The product of two numbers of samples may be larger than 32 bits, never than 64.
        let index = (image as u64 * split.len() as u64 / num_images as u64) as usize;
        let (values, _) = split.get(0, index)?;
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            for (at, value) in window.iter_mut().enumerate() {
                let (channel, y, x) = (at / (height * width), at / width % height, at % width);
                let pixel = (channel * input.height + row + y) * input.width + column + x;
                *value = f64::from(values[pixel]);
            }
            for (first, sums) in window.iter().zip(sums.chunks_exact_mut(length)) {
                for (second, sum) in window.iter().zip(sums) {
                    *sum += first * second;
                }
            }
        }
    }
    let count = (num_images * rows * columns) as f64;
    Ok(sums.into_iter().map(|sum| sum / count).collect())
}
