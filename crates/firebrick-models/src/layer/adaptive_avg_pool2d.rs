//! Average of an image's parts, so many of them as are asked for.
//!
//! # Source
//!
//! `torch.nn.AdaptiveAvgPool2d`.

use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::adaptive_avg_pool2d;
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::pair::Pair;
use super::parameters::Parameters;
use super::python::int_or_tuple;
use crate::shape::{MAX_SIZE, Shape};

/// `nn.AdaptiveAvgPool2d`: part `i` of `n` along an axis of `size` pixels is `floor(i size / n)` to
/// `ceil((i + 1) size / n)`; parts may overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveAvgPool2d {
    /// Height and width of the output; 1 is the average of each channel.
    pub output_size: Pair,
}

impl AdaptiveAvgPool2d {
    /// `nn.AdaptiveAvgPool2d(output_size)`.
    pub fn new(output_size: impl Into<Pair>) -> Self {
        Self { output_size: output_size.into() }
    }
}

impl Component for AdaptiveAvgPool2d {
    fn validate(&self) -> Result<(), ArgumentError> {
        let sizes = self.output_size.0;
        sizes.iter().try_for_each(|size| check::in_range("output_size", *size, 1, MAX_SIZE))
    }
}

impl Layer for AdaptiveAvgPool2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let [channels, ..] = input.image()?;
        let [height, width] = self.output_size.0;
        Ok(Shape::Image([channels, height, width]))
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        adaptive_avg_pool2d(x.images(), self.output_size.0).into()
    }

    fn repr(&self, _input: Shape) -> String {
        format!("AdaptiveAvgPool2d(output_size={})", int_or_tuple(self.output_size.0))
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
