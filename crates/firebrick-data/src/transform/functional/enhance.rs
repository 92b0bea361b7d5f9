//! Brightness, contrast, saturation and sharpness: blends of an image with a poorer one, as Pillow's
//! `ImageEnhance` does them.

use super::table::apply;
use crate::transform::channels::luma;
use crate::transform::working_image::WorkingImage;

/// Pixels whose grey values are kept at a time.
const CHUNK: usize = 256;

/// `factor` of the image over black: 0 is black, 1 the image.
///
/// # Source
///
/// torchvision `adjust_brightness` on PIL images.
pub fn adjust_brightness(image: &mut WorkingImage, factor: f64) {
    blend_with_grey(image, 0, factor);
}

/// `factor` of the image over its mean grey: 0 is grey, 1 the image.
///
/// # Source
///
/// torchvision `adjust_contrast` on PIL images.
pub fn adjust_contrast(image: &mut WorkingImage, factor: f64) {
    if image.is_empty() || factor == 1.0 {
        return;
    }
    let area = image.height() * image.width();
    let pixels = image.pixels();
    let sum: u64 = match image.channels() {
        3 => {
            let (red, rest) = pixels.split_at(area);
            let (green, blue) = rest.split_at(area);
            let rgb = red.iter().zip(green).zip(blue);
            rgb.map(|((&red, &green), &blue)| u64::from(luma(red, green, blue))).sum()
        }
        _ => pixels[..area].iter().map(|&pixel| u64::from(pixel)).sum(),
    };
    let mean = (sum as f64 / area as f64 + 0.5) as u8;
    blend_with_grey(image, mean, factor);
}

/// `factor` of the image over its grey version: 0 is grey, 1 the image. A grey image stays as it is.
///
/// # Source
///
/// torchvision `adjust_saturation` on PIL images.
pub fn adjust_saturation(image: &mut WorkingImage, factor: f64) {
    if image.channels() != 3 || factor == 1.0 {
        return;
    }
    let area = image.height() * image.width();
    let factor = factor as f32;
    let (red, rest) = image.pixels_mut().split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    let mut grey = [0; CHUNK];
    let chunks = red.chunks_mut(CHUNK).zip(green.chunks_mut(CHUNK)).zip(blue.chunks_mut(CHUNK));
    for ((red, green), blue) in chunks {
        let grey = &mut grey[..red.len()];
        for (((grey, &red), &green), &blue) in grey.iter_mut().zip(&*red).zip(&*green).zip(&*blue) {
            *grey = luma(red, green, blue);
        }
        for channel in [red, green, blue] {
            channel.iter_mut().zip(&*grey).for_each(|(value, &grey)| *value = blend(grey, *value, factor));
        }
    }
}

/// `factor` of the image over its smoothed version: 0 is smooth, 1 the image, 2 sharp.
///
/// # Source
///
/// torchvision `adjust_sharpness` on PIL images; the smoothed version is Pillow's `ImageFilter.SMOOTH`, which
/// leaves the outermost pixels.
pub fn adjust_sharpness(image: &mut WorkingImage, factor: f64) {
    let (channels, height, width) = (image.channels(), image.height(), image.width());
    if height < 3 || width < 3 || factor == 1.0 {
        return;
    }
    let factor = factor as f32;
    image.rewrite([channels, height, width], |source, target| {
        target.copy_from_slice(source);
        let planes = source.chunks_exact(height * width);
        for (plane, out) in planes.zip(target.chunks_exact_mut(height * width)) {
            for row in 1..height - 1 {
                let rows = [row - 1, row, row + 1].map(|row| &plane[row * width..][..width]);
                sharpen_row(rows, factor, &mut out[row * width + 1..][..width - 2]);
            }
        }
    });
}

fn sharpen_row([above, row, below]: [&[u8]; 3], factor: f32, out: &mut [u8]) {
    let length = out.len();
    // Slices of one length, so that the loop needs no checks.
    let [above, row, below] = [above, row, below].map(|row| [0, 1, 2].map(|shift| &row[shift..][..length]));
    for x in 0..length {
        let three = |row: [&[u8]; 3]| u16::from(row[0][x]) + u16::from(row[1][x]) + u16::from(row[2][x]);
        let sum = three(above) + three(row) + three(below) + 4 * u16::from(row[1][x]);
        // The nearest thirteenth. Pillow adds up floats, which never comes as near to a half as to matter.
        let smooth = (2 * sum + 13) / 26;
        out[x] = blend(smooth as u8, row[1][x], factor);
    }
}

/// `factor` of every value over one grey.
fn blend_with_grey(image: &mut WorkingImage, grey: u8, factor: f64) {
    if factor != 1.0 {
        let factor = factor as f32;
        apply(image.pixels_mut(), &std::array::from_fn(|value| blend(grey, value as u8, factor)));
    }
}

/// `factor` of `image` and the rest of `poorer`; beyond 0 and 255 it ends.
///
/// # Source
///
/// Pillow's `ImagingBlend`: f32, the fraction is dropped.
fn blend(poorer: u8, image: u8, factor: f32) -> u8 {
    let (poorer, image) = (i32::from(poorer), i32::from(image));
    let value = poorer as f32 + factor * (image - poorer) as f32;
    // Comparisons and not `clamp`, which would have to look for NaN.
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    value as i32 as u8
}
