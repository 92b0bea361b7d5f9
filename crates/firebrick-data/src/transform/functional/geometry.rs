//! Flips, rotation, affine maps and perspective.

use super::warp::{Matrix, warp_affine, warp_perspective};
use crate::shape::ImageSize;
use crate::transform::interpolation::Interpolation;
use crate::transform::working_image::WorkingImage;

/// Mirrors every row: left becomes right. Twice is nothing.
///
/// # Source
///
/// torchvision `hflip`.
pub fn hflip(image: &mut WorkingImage) {
    let width = image.width();
    if width > 1 {
        image.pixels_mut().chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}

/// Mirrors every column: top becomes bottom. Twice is nothing.
///
/// # Source
///
/// torchvision `vflip`.
pub fn vflip(image: &mut WorkingImage) {
    let (height, width) = (image.height(), image.width());
    for plane in image.pixels_mut().chunks_exact_mut((height * width).max(1)) {
        let (upper, lower) = plane.split_at_mut(height / 2 * width);
        let rows = upper.chunks_exact_mut(width.max(1)).zip(lower.chunks_exact_mut(width.max(1)).rev());
        rows.for_each(|(upper, lower)| upper.swap_with_slice(lower));
    }
}

/// An affine map: turned, moved, scaled and sheared round `center`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AffineMap {
    /// Degrees, clockwise.
    pub angle: f64,
    /// Pixels to the right and down.
    pub translate: [f64; 2],
    /// Above 0.
    pub scale: f64,
    /// Degrees along x and y.
    pub shear: [f64; 2],
    /// Column and row of what stays in place but for `translate`; the middle if `None`.
    pub center: Option<[f64; 2]>,
}

impl Default for AffineMap {
    /// Nothing changed.
    fn default() -> Self {
        Self { angle: 0.0, translate: [0.0; 2], scale: 1.0, shear: [0.0; 2], center: None }
    }
}

impl AffineMap {
    /// # Source
    ///
    /// torchvision `_get_inverse_affine_matrix`.
    fn inverse(&self, size: ImageSize) -> Matrix {
        let middle = [size.width as f64 * 0.5, size.height as f64 * 0.5];
        let [center_x, center_y] = self.center.unwrap_or(middle);
        let [x, y] = self.translate;
        let rotation = radians(self.angle);
        let [shear_x, shear_y] = self.shear.map(radians);
        let a = (rotation - shear_y).cos() / shear_y.cos();
        let b = -(rotation - shear_y).cos() * shear_x.tan() / shear_y.cos() - rotation.sin();
        let c = (rotation - shear_y).sin() / shear_y.cos();
        let d = -(rotation - shear_y).sin() * shear_x.tan() / shear_y.cos() + rotation.cos();
        let mut matrix = [d, -b, 0.0, -c, a, 0.0].map(|value| value / self.scale);
        matrix[2] += matrix[0] * (-center_x - x) + matrix[1] * (-center_y - y);
        matrix[5] += matrix[3] * (-center_x - x) + matrix[4] * (-center_y - y);
        matrix[2] += center_x;
        matrix[5] += center_y;
        matrix
    }
}

/// As Python has it: degrees times the quotient, not divided by 180 last.
fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

/// Maps the image; its size stays. What comes from outside is `fill`, one value a channel.
///
/// # Source
///
/// torchvision `affine` on PIL images.
pub fn affine(image: &mut WorkingImage, map: &AffineMap, interpolation: Interpolation, fill: &[u8]) {
    let size = image.size();
    warp_affine(image, &map.inverse(size), size, interpolation, fill);
}

/// Turns the image by `angle` degrees, counterclockwise, round `center` (column, row; the middle if `None`). With
/// `expand` the result is as large as the whole turned image, otherwise as the image. What comes from outside is
/// `fill`, one value a channel.
///
/// # Source
///
/// torchvision `rotate` on PIL images, that is Pillow's `Image.rotate`.
pub fn rotate(
    image: &mut WorkingImage,
    angle: f64,
    interpolation: Interpolation,
    expand: bool,
    center: Option<[f64; 2]>,
    fill: &[u8],
) {
    let angle = angle.rem_euclid(360.0);
    let ImageSize { height, width } = image.size();
    if center.is_none() {
        let turns_whole = expand || height == width;
        match angle {
            0.0 => return,
            180.0 => {
                return image
                    .pixels_mut()
                    .chunks_exact_mut((height * width).max(1))
                    .for_each(<[u8]>::reverse);
            }
            90.0 if turns_whole => return quarter_turn(image, |y, x| x * width + width - 1 - y),
            270.0 if turns_whole => return quarter_turn(image, |y, x| (height - 1 - x) * width + y),
            _ => {}
        }
    }
    let (matrix, size) = rotation(angle, image.size(), expand, center);
    warp_affine(image, &matrix, size, interpolation, fill);
}

/// The map of a rotation, and the size of its result.
fn rotation(angle: f64, size: ImageSize, expand: bool, center: Option<[f64; 2]>) -> (Matrix, ImageSize) {
    let (width, height) = (size.width as f64, size.height as f64);
    let [center_x, center_y] = center.unwrap_or([width / 2.0, height / 2.0]);
    let angle = -radians(angle);
    let (cos, sin) = (to_15_digits(angle.cos()), to_15_digits(angle.sin()));
    let mut matrix = [cos, sin, 0.0, to_15_digits(-angle.sin()), cos, 0.0];
    let moved = |[a, b, c, d, e, f]: Matrix, x: f64, y: f64| (a * x + b * y + c, d * x + e * y + f);
    (matrix[2], matrix[5]) = moved(matrix, -center_x, -center_y);
    matrix[2] += center_x;
    matrix[5] += center_y;
    if !expand {
        return (matrix, size);
    }
    let corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
    let corners = corners.map(|(x, y)| moved(matrix, x, y));
    let extent = |side: fn(&(f64, f64)) -> f64| {
        let most = corners.iter().map(side).fold(f64::MIN, f64::max);
        let least = corners.iter().map(side).fold(f64::MAX, f64::min);
        most.ceil() - least.floor()
    };
    let (new_width, new_height) = (extent(|corner| corner.0), extent(|corner| corner.1));
    (matrix[2], matrix[5]) = moved(matrix, -(new_width - width) / 2.0, -(new_height - height) / 2.0);
    (matrix, ImageSize { height: new_height as usize, width: new_width as usize })
}

/// Python's `round(value, 15)`.
fn to_15_digits(value: f64) -> f64 {
    format!("{value:.15}").parse().unwrap_or(value)
}

/// Height becomes width: `place` says where the pixel of a row and a column of the result lies.
fn quarter_turn(image: &mut WorkingImage, place: impl Fn(usize, usize) -> usize) {
    let (height, width) = (image.height(), image.width());
    image.rewrite([image.channels(), width, height], |source, target| {
        let planes = source.chunks_exact(height * width);
        for (plane, out) in planes.zip(target.chunks_exact_mut(height * width)) {
            for (y, row) in out.chunks_exact_mut(height).enumerate() {
                row.iter_mut().enumerate().for_each(|(x, out)| *out = plane[place(y, x)]);
            }
        }
    });
}

/// Moves the corners of the image to `ends`: upper left, upper right, lower right, lower left, each a column and a
/// row. What comes from outside is `fill`, one value a channel. Corners of which three lie on a line leave the image.
///
/// # Source
///
/// torchvision `perspective` on PIL images, whose coefficients are rounded to f32.
pub fn perspective(image: &mut WorkingImage, ends: [[f64; 2]; 4], interpolation: Interpolation, fill: &[u8]) {
    let (right, bottom) = (image.width() as f64 - 1.0, image.height() as f64 - 1.0);
    let starts = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    let mut equations = [[0.0; 9]; 8];
    for (index, ([x, y], [from_x, from_y])) in ends.into_iter().zip(starts).enumerate() {
        equations[2 * index] = [x, y, 1.0, 0.0, 0.0, 0.0, -from_x * x, -from_x * y, from_x];
        equations[2 * index + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -from_y * x, -from_y * y, from_y];
    }
    if let Some(coefficients) = solve(equations) {
        let coefficients = coefficients.map(|value| f64::from(value as f32));
        warp_perspective(image, &coefficients, interpolation, fill);
    }
}

/// Gauss with the largest pivot; none if there is no single solution.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        if rows[column][column].abs() < 1e-12 {
            return None;
        }
        let top = rows[column].map(|value| value / rows[column][column]);
        rows[column] = top;
        for (number, row) in rows.iter_mut().enumerate() {
            let factor = row[column];
            if number != column {
                row.iter_mut().zip(top).for_each(|(value, top)| *value -= factor * top);
            }
        }
    }
    Some(rows.map(|row| row[8]))
}
