//! Cutout: squares painted over.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::erase;
use super::interface::Transform;
use super::numbers::Numbers;
use super::side::MAX_SIDE;
use super::window::Window;
use super::working_image::WorkingImage;
use crate::random::below;
use crate::shape::ImageSize;

/// Arguments of `cutout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CutoutConfig {
    /// Number of squares.
    pub n_holes: usize,
    /// Side of a square in pixels; what of it lies outside of the image is lost.
    pub length: usize,
    /// Colour of the squares: a value for all channels, or `[red, green, blue]`; 0 to 255. Before normalisation: the
    /// mean colour of the data set becomes the 0 of the paper.
    pub fill: Fill,
}

impl Default for CutoutConfig {
    fn default() -> Self {
        Self { n_holes: 1, length: 16, fill: Numbers::One(0) }
    }
}

impl CutoutConfig {
    /// Draws a square: its middle lies anywhere in the image.
    pub fn window(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> Window {
        let half = self.length / 2;
        let mut span = |side: usize| {
            let middle = below(generator, side as u64) as usize;
            let (start, end) = (middle.saturating_sub(half), (middle + half).min(side));
            (start, end - start)
        };
        let (top, height) = span(image.height);
        let (left, width) = span(image.width);
        Window { top, left, height, width }
    }
}

impl Component for CutoutConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("n_holes", self.n_holes, 0, 1024)?;
        check::in_range("length", self.length, 0, MAX_SIDE)?;
        check_fill("fill", &self.fill)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.n_holes > 0 && self.length > 1, "", "no square is larger than nothing")
    }
}

impl Transform for CutoutConfig {
    /// Paints over the squares.
    ///
    /// # Source
    ///
    /// DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017,
    /// <https://arxiv.org/abs/1708.04552>, and their code: `length // 2` pixels to each side of the middle.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let colour = fill_values(&self.fill, image.channels());
        for _ in 0..self.n_holes {
            let window = self.window(image.size(), generator);
            erase(image, window, &colour);
        }
    }

    fn description(&self) -> String {
        format!("cutout ({} of {} pixels)", self.n_holes, self.length)
    }
}
