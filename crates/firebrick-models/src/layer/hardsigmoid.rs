//! Logistic function made of straight lines: what the gates of MobileNetV3 end in.
//!
//! # Source
//!
//! A. Howard et al., "Searching for MobileNetV3", 2019; `torch.nn.Hardsigmoid`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, hardsigmoid};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.Hardsigmoid`: `min(max(x + 3, 0), 6) / 6`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardsigmoid {}

impl Component for Hardsigmoid {}

impl Layer for Hardsigmoid {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => hardsigmoid(x).into(),
            Activations::Features(x) => hardsigmoid(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "Hardsigmoid()".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::Probabilities
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Hardsigmoid))
    }
}
