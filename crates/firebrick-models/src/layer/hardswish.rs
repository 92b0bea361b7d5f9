//! SiLU made of straight lines and a parabola: MobileNetV3's.
//!
//! # Source
//!
//! A. Howard et al., "Searching for MobileNetV3", 2019; `torch.nn.Hardswish`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, hardswish};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.Hardswish`: `x * min(max(x + 3, 0), 6) / 6`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardswish {}

impl Component for Hardswish {}

impl Layer for Hardswish {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => hardswish(x).into(),
            Activations::Features(x) => hardswish(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "Hardswish()".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Hardswish))
    }
}
