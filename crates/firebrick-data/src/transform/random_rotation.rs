//! Random rotation: turned by a random angle.

use firebrick_component::{ArgumentError, Component};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::rotate;
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::range::{check_around, check_center, range_around};
use super::working_image::WorkingImage;
use crate::random::uniform;
use crate::shape::ImageSize;

/// Arguments of `random_rotation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomRotationConfig {
    /// The angle is drawn from `-degrees` to `degrees`, or from `[least, most]`; counterclockwise.
    pub degrees: Numbers<f64>,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    #[serde(default = "default_interpolation")]
    pub interpolation: Interpolation,
    /// Make the image as large as the whole turned image. A step that sets the size must follow.
    #[serde(default)]
    pub expand: bool,
    /// `[column, row]` of what stays in place; the middle when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<[f64; 2]>,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    #[serde(default = "default_fill")]
    pub fill: Fill,
}

fn default_interpolation() -> Interpolation {
    Interpolation::Nearest
}

fn default_fill() -> Fill {
    Numbers::One(0)
}

impl RandomRotationConfig {
    /// All defaults for `degrees`.
    pub fn new(degrees: impl Into<Numbers<f64>>) -> Self {
        Self {
            degrees: degrees.into(),
            interpolation: default_interpolation(),
            expand: false,
            center: None,
            fill: default_fill(),
        }
    }

    /// Draws the angle, in degrees.
    pub fn angle(&self, generator: &mut ChaCha8Rng) -> f64 {
        uniform(generator, range_around(&self.degrees))
    }
}

impl Component for RandomRotationConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_around("degrees", &self.degrees)?;
        check_center(self.center)?;
        check_fill("fill", &self.fill)
    }
}

impl Transform for RandomRotationConfig {
    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        Ok(input.filter(|_| !self.expand))
    }

    /// Turns the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomRotation` on PIL images.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let angle = self.angle(generator);
        let fill = fill_values(&self.fill, image.channels());
        rotate(image, angle, self.interpolation, self.expand, self.center, &fill);
    }

    fn description(&self) -> String {
        let [least, most] = range_around(&self.degrees);
        format!("random_rotation ({least} to {most} degrees, {})", self.interpolation.name())
    }
}
