//! Random perspective: the corners moved inwards, now and then.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::perspective;
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::working_image::WorkingImage;
use crate::random::{below, unit};
use crate::shape::ImageSize;

/// Arguments of `random_perspective`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomPerspectiveConfig {
    /// How far corners move, as a part of half a side; 0 to 1.
    pub distortion_scale: f64,
    /// Probability of a change, 0 to 1.
    pub p: f64,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    pub interpolation: Interpolation,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    pub fill: Fill,
}

impl Default for RandomPerspectiveConfig {
    fn default() -> Self {
        let interpolation = Interpolation::Bilinear;
        Self { distortion_scale: 0.5, p: 0.5, interpolation, fill: Numbers::One(0) }
    }
}

impl RandomPerspectiveConfig {
    /// Draws where the corners go: upper left, upper right, lower right, lower left, each a column and a row.
    ///
    /// # Source
    ///
    /// torchvision `RandomPerspective.get_params`.
    pub fn corners(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> [[f64; 2]; 4] {
        let reach = |side: usize| (self.distortion_scale * (side / 2) as f64) as usize;
        let ImageSize { height, width } = image;
        let mut near = |side: usize| below(generator, reach(side) as u64 + 1) as f64;
        let [left_top, top_left, right_top, top_right] =
            [near(width), near(height), near(width), near(height)];
        let [right_bottom, bottom_right, left_bottom, bottom_left] =
            [near(width), near(height), near(width), near(height)];
        let (right, bottom) = (width as f64 - 1.0, height as f64 - 1.0);
        [
            [left_top, top_left],
            [right - right_top, top_right],
            [right - right_bottom, bottom - bottom_right],
            [left_bottom, bottom - bottom_left],
        ]
    }
}

impl Component for RandomPerspectiveConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("distortion_scale", self.distortion_scale)?;
        check::unit_interval("p", self.p)?;
        check_fill("fill", &self.fill)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 changes nothing")
    }
}

impl Transform for RandomPerspectiveConfig {
    /// Moves the corners, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomPerspective` on PIL images.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            let corners = self.corners(image.size(), generator);
            let fill = fill_values(&self.fill, image.channels());
            perspective(image, corners, self.interpolation, &fill);
        }
    }

    fn description(&self) -> String {
        format!("random_perspective (distortion_scale {}, p {})", self.distortion_scale, self.p)
    }
}
