//! Zeros around an image, not the same number on every side.
//!
//! # Source
//!
//! `torch.nn.ZeroPad2d`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::border::bordered;
use super::parameters::Parameters;
use crate::shape::{MAX_SIZE, Shape};

/// `nn.ZeroPad2d`: rows and columns of zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroPad2d {
    /// How many on the left, on the right, at the top and at the bottom.
    pub padding: [usize; 4],
}

impl Component for ZeroPad2d {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.padding.iter().try_for_each(|size| check::in_range("padding", *size, 0, MAX_SIZE))
    }
}

impl Layer for ZeroPad2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let [channels, height, width] = input.image()?;
        let [left, right, top, bottom] = self.padding;
        Ok(Shape::Image([channels, height + top + bottom, width + left + right]))
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        // With the channels last, as images lie in memory on the CPU.
        let images_nhwc = x.images().permute([0, 2, 3, 1]);
        let [left, right, top, bottom] = self.padding;
        let wide = bordered(images_nhwc, 2, [left, right], 0.0);
        bordered(wide, 1, [top, bottom], 0.0).permute([0, 3, 1, 2]).into()
    }

    fn repr(&self, _input: Shape) -> String {
        let [left, right, top, bottom] = self.padding;
        format!("ZeroPad2d(({left}, {right}, {top}, {bottom}))")
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }

    fn as_zeros(&self) -> Option<[usize; 4]> {
        Some(self.padding)
    }
}
