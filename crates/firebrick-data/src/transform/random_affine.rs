//! Random affine: turned, moved, scaled and sheared at random.

use firebrick_component::{ArgumentError, Component, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::{AffineMap, affine};
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::range::{check_around, check_center, check_range, range_around};
use super::working_image::WorkingImage;
use crate::random::uniform;
use crate::shape::ImageSize;

/// Arguments of `random_affine`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomAffineConfig {
    /// The angle is drawn from `-degrees` to `degrees`, or from `[least, most]`; clockwise. 0: no rotation.
    pub degrees: Numbers<f64>,
    /// `[x, y]`: the image is moved by up to these parts of its width and height, to either side; 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate: Option<[f64; 2]>,
    /// Least and largest factor of the size; above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// Degrees of the shear along x, drawn from `-shear` to `shear` or from `[least, most]`; with four numbers the
    /// last two are those along y.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shear: Option<Numbers<f64>>,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    #[serde(default = "default_interpolation")]
    pub interpolation: Interpolation,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    #[serde(default = "default_fill")]
    pub fill: Fill,
    /// `[column, row]` of what rotation, scale and shear leave in place; the middle when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<[f64; 2]>,
}

fn default_interpolation() -> Interpolation {
    Interpolation::Nearest
}

fn default_fill() -> Fill {
    Numbers::One(0)
}

impl RandomAffineConfig {
    /// All defaults for `degrees`.
    pub fn new(degrees: impl Into<Numbers<f64>>) -> Self {
        Self {
            degrees: degrees.into(),
            translate: None,
            scale: None,
            shear: None,
            interpolation: default_interpolation(),
            fill: default_fill(),
            center: None,
        }
    }

    /// Draws the map for an image of size `image`.
    ///
    /// # Source
    ///
    /// torchvision `RandomAffine.get_params`: movements are whole pixels.
    pub fn draw(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> AffineMap {
        let angle = uniform(generator, range_around(&self.degrees));
        let mut moved = |part: f64, side: usize| {
            let most = part * side as f64;
            uniform(generator, [-most, most]).round_ties_even()
        };
        let translate = match self.translate {
            Some([x, y]) => [moved(x, image.width), moved(y, image.height)],
            None => [0.0; 2],
        };
        let scale = self.scale.map_or(1.0, |range| uniform(generator, range));
        let shear = match self.shear.as_ref().map(Numbers::as_slice) {
            Some(&[x0, x1, y0, y1]) => [uniform(generator, [x0, x1]), uniform(generator, [y0, y1])],
            Some(&[x0, x1]) => [uniform(generator, [x0, x1]), 0.0],
            Some(&[most]) => [uniform(generator, [-most, most]), 0.0],
            _ => [0.0; 2],
        };
        AffineMap { angle, translate, scale, shear, center: self.center }
    }
}

impl Component for RandomAffineConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_around("degrees", &self.degrees)?;
        for part in self.translate.iter().flatten() {
            check::unit_interval("translate", *part)?;
        }
        if let Some(scale) = self.scale {
            check_range("scale", scale)?;
            check::positive("scale[0]", scale[0])?;
        }
        match self.shear.as_ref().map(Numbers::as_slice) {
            None => {}
            Some(&[x0, x1, y0, y1]) => {
                check_range("shear", [x0, x1])?;
                check_range("shear", [y0, y1])?;
            }
            Some(_) => self.shear.iter().try_for_each(|shear| check_around("shear", shear))?,
        }
        let mut degrees = self.shear.iter().flat_map(Numbers::as_slice);
        if let Some(steep) = degrees.find(|degrees| degrees.abs() >= 90.0) {
            return Err(ArgumentError::new("shear", "angles between -90 and 90 degrees", steep));
        }
        check_center(self.center)?;
        check_fill("fill", &self.fill)
    }
}

impl Transform for RandomAffineConfig {
    /// Maps the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomAffine` on PIL images.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let map = self.draw(image.size(), generator);
        let fill = fill_values(&self.fill, image.channels());
        affine(image, &map, self.interpolation, &fill);
    }

    fn description(&self) -> String {
        let [least, most] = range_around(&self.degrees);
        format!("random_affine ({least} to {most} degrees, {})", self.interpolation.name())
    }
}
