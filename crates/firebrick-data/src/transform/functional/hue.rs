//! Hue: colours turned round the colour wheel.

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
    let (red, rest) = image.pixels_mut().split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let [hue, saturation, value] = to_hsv(*red, *green, *blue);
        [*red, *green, *blue] = to_rgb(hue.wrapping_add(shift), saturation, value);
    }
}

/// # Source
///
/// Pillow's `rgb2hsv_row`, with its mixture of f32 and f64.
fn to_hsv(red: u8, green: u8, blue: u8) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let saturation = range / f32::from(most);
    let below_most = |value: u8| f32::from(most - value) / range;
    let (red_gap, green_gap, blue_gap) = (below_most(red), below_most(green), below_most(blue));
    let sixths = if red == most {
        blue_gap - green_gap
    } else if green == most {
        (2.0 + f64::from(red_gap) - f64::from(blue_gap)) as f32
    } else {
        (4.0 + f64::from(green_gap) - f64::from(red_gap)) as f32
    };
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let hue = if turns >= 1.0 { turns - 1.0 } else { turns } as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, most]
}

/// # Source
///
/// Pillow's `hsv2rgb`.
fn to_rgb(hue: u8, saturation: u8, value: u8) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths as i32;
    let part = (sixths - f64::from(sector)) as f32;
    let saturation = (f64::from(saturation) / 255.0) as f32;
    let brightness = f64::from(value);
    let rounded = |level: f64| (brightness * (1.0 - level) + 0.5) as u8;
    let low = || rounded(f64::from(saturation));
    let falling = || rounded(f64::from(saturation * part));
    let rising = || rounded(f64::from(saturation) * (1.0 - f64::from(part)));
    match sector % 6 {
        0 => [value, rising(), low()],
        1 => [falling(), value, low()],
        2 => [low(), value, rising()],
        3 => [low(), falling(), value],
        4 => [rising(), low(), value],
        _ => [value, low(), falling()],
    }
}
