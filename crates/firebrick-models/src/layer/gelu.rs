//! Gaussian error linear unit: ConvNeXt's.
//!
//! # Source
//!
//! D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units (GELUs)", 2016; `torch.nn.GELU`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, gelu};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.GELU`: `x * (1 + erf(x / sqrt(2))) / 2`, and the derivative of that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gelu {}

impl Component for Gelu {}

impl Layer for Gelu {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => gelu(x).into(),
            Activations::Features(x) => gelu(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "GELU(approximate='none')".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Gelu))
    }
}
