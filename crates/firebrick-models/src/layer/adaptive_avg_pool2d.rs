//! Average of whole channels.
//!
//! # Source
//!
//! `torch.nn.AdaptiveAvgPool2d`.

use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::global_avg_pool2d;
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::pair::Pair;
use super::parameters::Parameters;
use super::python::int_or_tuple;
use crate::shape::Shape;

/// `nn.AdaptiveAvgPool2d`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveAvgPool2d {
    /// Height and width of the output; only 1 is supported, the average of each channel.
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
        let is_one = self.output_size == Pair::square(1);
        check::that(is_one, "output_size", self.output_size, "1, the average of each channel")
    }
}

impl Layer for AdaptiveAvgPool2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let [channels, ..] = input.image()?;
        Ok(Shape::Image([channels, 1, 1]))
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        global_avg_pool2d(x.images()).into()
    }

    fn repr(&self, _input: Shape) -> String {
        format!("AdaptiveAvgPool2d(output_size={})", int_or_tuple(self.output_size.0))
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
