//! Rectified linear unit.
//!
//! # Source
//!
//! `torch.nn.ReLU`.

use burn::tensor::activation::relu;
use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::Activation;
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.ReLU`: negative numbers become 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl Component for Relu {}

impl Layer for Relu {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => relu(x).into(),
            Activations::Features(x) => relu(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "ReLU()".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::NonNegative
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Relu))
    }
}
