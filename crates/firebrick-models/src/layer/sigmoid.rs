//! Logistic function: what the loss `bce` takes, and what gates are made of.
//!
//! # Source
//!
//! `torch.nn.Sigmoid`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, sigmoid};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.Sigmoid`: `1 / (1 + exp(-x))`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl Component for Sigmoid {}

impl Layer for Sigmoid {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => sigmoid(x).into(),
            Activations::Features(x) => sigmoid(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "Sigmoid()".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::Probabilities
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Sigmoid))
    }
}
