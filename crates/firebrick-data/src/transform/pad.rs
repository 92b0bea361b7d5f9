//! Pad: a border round the image.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::pad;
use super::interface::Transform;
use super::numbers::Numbers;
use super::padding::{MAX_PADDING, PaddingMode};
use super::working_image::WorkingImage;
use crate::shape::ImageSize;

/// Arguments of `pad`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PadConfig {
    /// Width of the border in pixels: on all sides, `[left and right, top and bottom]`, or `[left, top, right, bottom]`.
    pub padding: Numbers<usize>,
    /// Colour of the border when `padding_mode` is `constant`: a value for all channels, or `[red, green, blue]`; 0
    /// to 255.
    #[serde(default = "default_fill")]
    pub fill: Fill,
    /// What the border is made of.
    #[serde(default)]
    pub padding_mode: PaddingMode,
}

fn default_fill() -> Fill {
    Numbers::One(0)
}

impl PadConfig {
    /// All defaults for `padding`.
    pub fn new(padding: impl Into<Numbers<usize>>) -> Self {
        Self { padding: padding.into(), fill: default_fill(), padding_mode: PaddingMode::default() }
    }

    /// Left, top, right, bottom.
    fn sides(&self) -> [usize; 4] {
        match *self.padding.as_slice() {
            [all] => [all; 4],
            [x, y] => [x, y, x, y],
            [left, top, right, bottom] => [left, top, right, bottom],
            _ => [0; 4],
        }
    }
}

impl Component for PadConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let sides = self.padding.as_slice();
        let is_known = matches!(sides.len(), 1 | 2 | 4) && sides.iter().all(|side| *side <= MAX_PADDING);
        let expected = format!("one, two or four numbers of at most {MAX_PADDING} pixels");
        check::that(is_known, "padding", &self.padding, expected)?;
        check_fill("fill", &self.fill)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        let fills = self.fill == Numbers::One(0) || self.padding_mode == PaddingMode::Constant;
        NoEffect::unless(fills, "fill", "only padding_mode = \"constant\" fills the border with one value")
    }
}

impl Transform for PadConfig {
    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        self.validate()?;
        let [left, top, right, bottom] = self.sides();
        self.padding_mode.check(left.max(top).max(right).max(bottom), input)?;
        Ok(input.map(|ImageSize { height, width }| ImageSize {
            height: top + height + bottom,
            width: left + width + right,
        }))
    }

    /// Puts the border round the image.
    ///
    /// # Source
    ///
    /// torchvision `Pad` on PIL images.
    fn apply(&self, image: &mut WorkingImage, _generator: &mut ChaCha8Rng) {
        let fill = fill_values(&self.fill, image.channels());
        pad(image, self.sides(), &fill, self.padding_mode);
    }

    fn description(&self) -> String {
        format!("pad ({}, {})", self.padding, self.padding_mode.name())
    }
}
