//! Pixels fetched from where a map says: the core of rotation, affine maps and perspective.

use crate::shape::ImageSize;
use crate::transform::interpolation::Interpolation;
use crate::transform::working_image::WorkingImage;

/// Where a pixel of the result comes from: `[a, b, c, d, e, f]` gives the column `a x + b y + c` and the row
/// `d x + e y + f`.
pub(super) type Matrix = [f64; 6];

/// Outside of the image.
const OUTSIDE: usize = usize::MAX;

/// Gives the image the size `size`, each pixel fetched from where `matrix` says; outside of the image it is
/// `fill`, one value a channel.
///
/// # Source
///
/// Pillow's `ImagingTransformAffine`: without interpolation, scales add up f64 steps, other maps steps of
/// 1 / 65,536.
pub(super) fn warp_affine(
    image: &mut WorkingImage,
    matrix: &Matrix,
    size: ImageSize,
    interpolation: Interpolation,
    fill: &[u8],
) {
    let [a, b, c, d, e, f] = *matrix;
    if interpolation != Interpolation::Nearest {
        return warp(image, size, interpolation, fill, |x, y| (a * x + b * y + c, d * x + e * y + f));
    }
    let (height, width) = (image.height(), image.width());
    if b == 0.0 && d == 0.0 {
        let columns = scaled_places(c, a, width, size.width);
        let rows = scaled_places(f, e, height, size.height);
        return fetch(image, size, fill, |y, places| match rows[y] {
            OUTSIDE => places.fill(OUTSIDE),
            row => places.iter_mut().zip(&columns).for_each(|(place, &column)| {
                *place = if column == OUTSIDE { OUTSIDE } else { row * width + column };
            }),
        });
    }
    let fixed = |value: f64| (value * 65_536.0 + 0.5).floor() as i64;
    let [step_x, step_y] = [fixed(a), fixed(d)];
    let start = [fixed(c + a * 0.5 + b * 0.5), fixed(f + d * 0.5 + e * 0.5)];
    let down = [fixed(b), fixed(e)];
    let (last_column, last_row) = (width as i64, height as i64);
    fetch(image, size, fill, |y, places| {
        let mut x_at = start[0] + y as i64 * down[0];
        let mut y_at = start[1] + y as i64 * down[1];
        for place in places {
            let (column, row) = (x_at >> 16, y_at >> 16);
            let is_inside = (0..last_column).contains(&column) && (0..last_row).contains(&row);
            *place = if is_inside { row as usize * width + column as usize } else { OUTSIDE };
            x_at += step_x;
            y_at += step_y;
        }
    });
}

/// As [`warp_affine`], from where `[a, b, c, d, e, f, g, h]` says: both places divided by `g x + h y + 1`.
pub(super) fn warp_perspective(
    image: &mut WorkingImage,
    coefficients: &[f64; 8],
    interpolation: Interpolation,
    fill: &[u8],
) {
    let [a, b, c, d, e, f, g, h] = *coefficients;
    let size = image.size();
    let map = |x: f64, y: f64| {
        let depth = g * x + h * y + 1.0;
        ((a * x + b * y + c) / depth, (d * x + e * y + f) / depth)
    };
    if interpolation != Interpolation::Nearest {
        return warp(image, size, interpolation, fill, map);
    }
    let ImageSize { height, width } = size;
    fetch(image, size, fill, |y, places| {
        for (x, place) in places.iter_mut().enumerate() {
            let (x, y) = map(x as f64 + 0.5, y as f64 + 0.5);
            let is_inside = x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64;
            *place = if is_inside { y as usize * width + x as usize } else { OUTSIDE };
        }
    });
}

/// The pixel under the middle of each target pixel, along one side.
fn scaled_places(start: f64, step: f64, source: usize, target: usize) -> Vec<usize> {
    let mut at = start + step * 0.5;
    let mut next = || {
        let is_inside = at >= 0.0 && at < source as f64;
        let place = if is_inside { at as usize } else { OUTSIDE };
        at += step;
        place
    };
    (0..target).map(|_| next()).collect()
}

/// Copies pixels: `places` fills in, for a row of the result, the place of each pixel in a plane.
fn fetch(image: &mut WorkingImage, size: ImageSize, fill: &[u8], places: impl Fn(usize, &mut [usize])) {
    let ImageSize { height, width } = size;
    let (area, channels) = (image.height() * image.width(), image.channels());
    let mut row = vec![OUTSIDE; width];
    image.rewrite([channels, height, width], |source, target| {
        for y in 0..height {
            places(y, &mut row);
            let planes = source.chunks_exact(area).zip(target.chunks_exact_mut(height * width));
            for ((plane, out), &fill) in planes.zip(fill) {
                for (out, &place) in out[y * width..][..width].iter_mut().zip(&row) {
                    *out = plane.get(place).copied().unwrap_or(fill);
                }
            }
        }
    });
}

/// Weighs the pixels round the place that `map` gives for the middle of each pixel of the result.
///
/// # Source
///
/// Pillow's `ImagingGenericTransform` with `bilinear_filter` and `bicubic_filter`: f64, the fraction is dropped.
fn warp(
    image: &mut WorkingImage,
    size: ImageSize,
    interpolation: Interpolation,
    fill: &[u8],
    map: impl Fn(f64, f64) -> (f64, f64),
) {
    let ImageSize { height, width } = size;
    let from = image.size();
    let channels = image.channels();
    let is_cubic = interpolation == Interpolation::Bicubic;
    image.rewrite([channels, height, width], |source, target| {
        let area = from.height * from.width;
        for y in 0..height {
            for x in 0..width {
                let (at_x, at_y) = map(x as f64 + 0.5, y as f64 + 0.5);
                let is_inside =
                    at_x >= 0.0 && at_y >= 0.0 && at_x < from.width as f64 && at_y < from.height as f64;
                let out = y * width + x;
                if !is_inside {
                    (0..channels).for_each(|channel| target[channel * height * width + out] = fill[channel]);
                    continue;
                }
                let place = Place::of(at_x, at_y);
                for (channel, pixels) in source.chunks_exact(area).enumerate() {
                    let plane = Plane { pixels, size: from };
                    let value = if is_cubic { plane.bicubic(&place) } else { plane.bilinear(&place) };
                    target[channel * height * width + out] = value;
                }
            }
        }
    });
}

/// Between which pixels a place lies.
struct Place {
    column: isize,
    row: isize,
    right: f64,
    down: f64,
}

impl Place {
    /// The place of a point inside of the image: both are at least 0.
    fn of(x: f64, y: f64) -> Self {
        let (x, y) = (x - 0.5, y - 0.5);
        // `floor` of a number from -0.5 on; the function itself is a call on older processors.
        let floor = |value: f64| if value < 0.0 { -1 } else { value as isize };
        let (column, row) = (floor(x), floor(y));
        Self { column, row, right: x - column as f64, down: y - row as f64 }
    }
}

struct Plane<'a> {
    pixels: &'a [u8],
    size: ImageSize,
}

impl Plane<'_> {
    /// The pixel, or the outermost one nearest to it.
    fn at(&self, row: isize, column: isize) -> f64 {
        let row = row.clamp(0, self.size.height as isize - 1) as usize;
        let column = column.clamp(0, self.size.width as isize - 1) as usize;
        f64::from(self.pixels[row * self.size.width + column])
    }

    fn bilinear(&self, place: &Place) -> u8 {
        let Place { column, row, right, down } = *place;
        let [upper, lower] = self.square(row, column);
        let between = |[a, b]: [f64; 2], part: f64| a + (b - a) * part;
        between([between(upper, right), between(lower, right)], down) as i32 as u8
    }

    /// Two by two pixels.
    fn square(&self, row: isize, column: isize) -> [[f64; 2]; 2] {
        let width = self.size.width;
        let (Ok(top), Ok(left)) = (usize::try_from(row), usize::try_from(column)) else {
            return [row, row + 1].map(|row| [column, column + 1].map(|column| self.at(row, column)));
        };
        let start = top * width + left;
        match (self.pixels.get(start..start + 2), self.pixels.get(start + width..start + width + 2)) {
            (Some(&[a, b]), Some(&[c, d])) if left + 1 < width => {
                [[f64::from(a), f64::from(b)], [f64::from(c), f64::from(d)]]
            }
            _ => [row, row + 1].map(|row| [column, column + 1].map(|column| self.at(row, column))),
        }
    }

    fn bicubic(&self, place: &Place) -> u8 {
        let Place { column, row, right, down } = *place;
        let line = |row| cubic([-1, 0, 1, 2].map(|by| self.at(row, column + by)), right);
        // `as` ends at 0 and 255.
        cubic([-1, 0, 1, 2].map(|by| line(row + by)), down) as u8
    }
}

/// The curve through the two middle values, at `part` between them.
fn cubic([v1, v2, v3, v4]: [f64; 4], part: f64) -> f64 {
    let p2 = -v1 + v3;
    let p3 = 2.0 * (v1 - v2) + v3 - v4;
    let p4 = -v1 + v2 - v3 + v4;
    v2 + part * (p2 + part * (p3 + part * p4))
}
