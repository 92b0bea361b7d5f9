//! Grey to RGB and back.

use super::working_image::WorkingImage;
use crate::transform_error::TransformError;

/// Weights of red, green and blue in a grey value: ITU-R BT.601 luma, 0.299, 0.587 and 0.114, in
/// sixteenths of 2^12 as PIL holds them; they add up to 2^16 exactly, so white stays white.
const LUMA: [u32; 3] = [19_595, 38_470, 7_471];

/// The same weights as fractions of one.
pub(super) fn luma_weights() -> [f64; 3] {
    LUMA.map(|weight| f64::from(weight) / 65_536.0)
}

/// Gives the image `wanted` channels: 1 to 3 repeats the grey, 3 to 1 takes the luma.
///
/// # Errors
///
/// [`TransformError::Channels`] for every other pair of different numbers.
///
/// # Source
///
/// torchvision `Grayscale` on PIL images, that is PIL's `convert("L")`: integers, rounded to the
/// nearest, so the values are the same to the last bit; and `convert("RGB")`.
pub(super) fn convert(image: &mut WorkingImage, wanted: usize) -> Result<(), TransformError> {
    let (height, width) = (image.height(), image.width());
    match (image.channels(), wanted) {
        (have, want) if have == want => {}
        (1, 3) => image.rewrite([3, height, width], repeat_grey),
        (3, 1) => image.rewrite([1, height, width], take_luma),
        (got, expected) => return Err(TransformError::Channels { expected, got }),
    }
    Ok(())
}

fn repeat_grey(grey: &[u8], rgb: &mut [u8]) {
    for plane in rgb.chunks_exact_mut(grey.len()) {
        plane.copy_from_slice(grey);
    }
}

fn take_luma(rgb: &[u8], grey: &mut [u8]) {
    let (red, rest) = rgb.split_at(grey.len());
    let (green, blue) = rest.split_at(grey.len());
    for (((grey, &red), &green), &blue) in grey.iter_mut().zip(red).zip(green).zip(blue) {
        *grey = luma(red, green, blue);
    }
}

/// The grey value of a colour.
pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let [r, g, b] = LUMA;
    let sum = r * u32::from(red) + g * u32::from(green) + b * u32::from(blue);
    ((sum + (1 << 15)) >> 16) as u8
}
