//! The operations that automatic policies choose from.

use super::enhance::{adjust_brightness, adjust_contrast, adjust_saturation, adjust_sharpness};
use super::geometry::{AffineMap, affine, rotate};
use super::table::{autocontrast, equalize, invert, posterize, solarize};
use crate::transform::interpolation::Interpolation;
use crate::transform::working_image::WorkingImage;

/// What an automatic policy may do to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Nothing.
    Identity,
    /// Sheared along x; the magnitude is the shear's tangent.
    ShearX,
    /// Sheared along y.
    ShearY,
    /// Moved to the right, by whole pixels.
    TranslateX,
    /// Moved down, by whole pixels.
    TranslateY,
    /// Turned counterclockwise, degrees.
    Rotate,
    /// Brightness changed by the magnitude; 0 changes nothing.
    Brightness,
    /// Saturation changed by the magnitude.
    Color,
    /// Contrast changed by the magnitude.
    Contrast,
    /// Sharpness changed by the magnitude.
    Sharpness,
    /// So many bits kept.
    Posterize,
    /// Inverted from there on.
    Solarize,
    /// Each channel stretched.
    AutoContrast,
    /// An even histogram for each channel.
    Equalize,
    /// Inverted.
    Invert,
}

/// Does one operation. What comes from outside is `fill`, one value a channel.
///
/// # Source
///
/// torchvision `autoaugment._apply_op` on PIL images.
pub fn apply_op(
    image: &mut WorkingImage,
    operation: Operation,
    magnitude: f64,
    interpolation: Interpolation,
    fill: &[u8],
) {
    // To degrees and back: the last bits of the angle decide about pixels.
    let shear = magnitude.atan().to_degrees();
    let corner = Some([0.0, 0.0]);
    let map = match operation {
        Operation::ShearX => AffineMap { shear: [shear, 0.0], center: corner, ..AffineMap::default() },
        Operation::ShearY => AffineMap { shear: [0.0, shear], center: corner, ..AffineMap::default() },
        Operation::TranslateX => AffineMap { translate: [magnitude.trunc(), 0.0], ..AffineMap::default() },
        Operation::TranslateY => AffineMap { translate: [0.0, magnitude.trunc()], ..AffineMap::default() },
        Operation::Rotate => return rotate(image, magnitude, interpolation, false, None, fill),
        Operation::Brightness => return adjust_brightness(image, 1.0 + magnitude),
        Operation::Color => return adjust_saturation(image, 1.0 + magnitude),
        Operation::Contrast => return adjust_contrast(image, 1.0 + magnitude),
        Operation::Sharpness => return adjust_sharpness(image, 1.0 + magnitude),
        Operation::Posterize => return posterize(image, magnitude as u32),
        Operation::Solarize => return solarize(image, magnitude),
        Operation::AutoContrast => return autocontrast(image),
        Operation::Equalize => return equalize(image),
        Operation::Invert => return invert(image),
        Operation::Identity => return,
    };
    affine(image, &map, interpolation, fill);
}
