//! Changes that look at one value at a time, by a table of 256 values for each channel.

use crate::transform::working_image::WorkingImage;

/// What each of the 256 values becomes.
pub(super) type Table = [u8; 256];

/// Inverts the colours.
///
/// # Source
///
/// torchvision `invert`.
pub fn invert(image: &mut WorkingImage) {
    image.pixels_mut().iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
}

/// Keeps the upper `bits` bits of every value, 0 to 8.
///
/// # Source
///
/// torchvision `posterize`; 0 bits leave black, as on its tensors.
pub fn posterize(image: &mut WorkingImage, bits: u32) {
    let mask = !(0xFF_u16 >> bits.min(8)) as u8;
    image.pixels_mut().iter_mut().for_each(|pixel| *pixel &= mask);
}

/// Inverts every value from `threshold` on.
///
/// # Source
///
/// torchvision `solarize`.
pub fn solarize(image: &mut WorkingImage, threshold: f64) {
    let changed = |value: u8| if f64::from(value) < threshold { value } else { 255 - value };
    apply(image.pixels_mut(), &std::array::from_fn(|value| changed(value as u8)));
}

/// Stretches each channel so that its darkest value becomes 0 and its brightest 255.
///
/// # Source
///
/// torchvision `autocontrast` on PIL images, that is Pillow's `ImageOps.autocontrast`.
pub fn autocontrast(image: &mut WorkingImage) {
    each_channel(image, |plane| {
        let (low, high) = plane.iter().fold((255, 0), |(low, high), &v| (v.min(low), v.max(high)));
        if high <= low {
            return None;
        }
        let scale = 255.0 / f64::from(high - low);
        let offset = -f64::from(low) * scale;
        Some(std::array::from_fn(|value| (value as f64 * scale + offset) as u8))
    });
}

/// Gives the values of each channel an even histogram.
///
/// # Source
///
/// torchvision `equalize` on PIL images, that is Pillow's `ImageOps.equalize`.
pub fn equalize(image: &mut WorkingImage) {
    each_channel(image, |plane| {
        let histogram = histogram(plane);
        let last = histogram.iter().rev().copied().find(|&count| count > 0)?;
        let step = (plane.len() - last) / 255;
        if step == 0 {
            return None;
        }
        let mut sum = step / 2;
        Some(std::array::from_fn(|value| {
            let level = (sum / step).min(255) as u8;
            sum += histogram[value];
            level
        }))
    });
}

fn histogram(plane: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    for &value in plane {
        counts[usize::from(value)] += 1;
    }
    counts
}

/// Gives each channel the table that is made from its pixels; none leaves it.
fn each_channel(image: &mut WorkingImage, table: impl Fn(&[u8]) -> Option<Table>) {
    let area = image.height() * image.width();
    for plane in image.pixels_mut().chunks_exact_mut(area.max(1)) {
        if let Some(table) = table(plane) {
            apply(plane, &table);
        }
    }
}

pub(super) fn apply(pixels: &mut [u8], table: &Table) {
    pixels.iter_mut().for_each(|pixel| *pixel = table[usize::from(*pixel)]);
}
