//! Hue: colours turned round the colour wheel.

use std::array::from_fn;
use std::sync::LazyLock;

use crate::transform::working_image::WorkingImage;

/// Turns every colour by `factor` of the colour wheel, -0.5 to 0.5. A grey image stays as it is.
///
/// # Source
///
/// torchvision `adjust_hue` on PIL images: to Pillow's HSV of bytes, the hue shifted by whole steps of 1 / 255
/// (of 256, so that a turn of 0 is no identity for every colour), and back.
pub fn adjust_hue(image: &mut WorkingImage, factor: f64) {
    if image.channels() != 3 {
        return;
    }
    let area = image.height() * image.width();
    let shift = (factor * 255.0) as i32 as u8;
    let wheel = &*WHEEL;
    let (red, rest) = image.pixels_mut().split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let [hue, saturation, value] = to_hsv(*red, *green, *blue);
        [*red, *green, *blue] = wheel.to_rgb(hue.wrapping_add(shift), saturation, value);
    }
}

/// In which sixth of the wheel a colour lies, by red >= green, green >= blue and blue >= red (bits 0, 1, 2).
const SIXTHS: [usize; 8] = [0, 5, 1, 0, 3, 4, 2, 0];

/// Where each sixth begins or ends, and whether it is run through upwards.
const BOUNDS: [(f64, f64); 6] = [(1.0, -1.0), (1.0, 1.0), (3.0, -1.0), (3.0, 1.0), (5.0, -1.0), (-1.0, 1.0)];

/// # Source
///
/// Pillow's `rgb2hsv_row`, with its mixture of f32 and f64. Written without branches, which no machine could foresee:
/// of the three distances to the largest channel, one is 0 and one the whole range, so that the hue depends on the
/// sixth of the wheel and the distance of the middle channel alone.
fn to_hsv(red: u8, green: u8, blue: u8) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let middle = red ^ green ^ blue ^ most ^ least;
    let order = usize::from(red >= green) | usize::from(green >= blue) << 1 | usize::from(blue >= red) << 2;
    let (bound, sign) = BOUNDS[SIXTHS[order]];
    // Greys, whose hue does not matter, are not divided by 0.
    let range = f32::from((most - least).max(1));
    let sixths = (bound + sign * f64::from(f32::from(most - middle) / range)) as f32;
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let hue = (turns - f64::from(u8::from(turns >= 1.0))) as f32;
    let saturation = f32::from(most - least) / f32::from(most.max(1));
    [byte(f64::from(hue) * 255.0), byte(f64::from(saturation) * 255.0), most]
}

/// Drops the fraction of a number from 0 to below 256.
fn byte(value: f64) -> u8 {
    value as i32 as u8
}

/// What depends on one byte only.
struct Wheel {
    /// For each hue: the sixth of the wheel, and how far into it.
    hues: [(u8, f32); 256],
    /// Saturations as fractions of one.
    saturations: [f32; 256],
}

static WHEEL: LazyLock<Wheel> = LazyLock::new(|| Wheel {
    hues: from_fn(|hue| {
        let sixths = hue as f64 * 6.0 / 255.0;
        let sixth = sixths as u8;
        (sixth % 6, (sixths - f64::from(sixth)) as f32)
    }),
    saturations: from_fn(|saturation| (saturation as f64 / 255.0) as f32),
});

impl Wheel {
    /// # Source
    ///
    /// Pillow's `hsv2rgb`.
    fn to_rgb(&self, hue: u8, saturation: u8, value: u8) -> [u8; 3] {
        let (sixth, part) = self.hues[usize::from(hue)];
        let saturation = self.saturations[usize::from(saturation)];
        let brightness = f64::from(value);
        let rounded = |level: f64| byte(brightness * (1.0 - level) + 0.5);
        let low = rounded(f64::from(saturation));
        let falling = rounded(f64::from(saturation * part));
        let rising = rounded(f64::from(saturation) * (1.0 - f64::from(part)));
        match sixth {
            0 => [value, rising, low],
            1 => [falling, value, low],
            2 => [low, value, rising],
            3 => [low, falling, value],
            4 => [rising, low, value],
            _ => [value, low, falling],
        }
    }
}
