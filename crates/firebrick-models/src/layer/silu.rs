//! Sigmoid linear unit, also called swish: EfficientNet's.
//!
//! # Source
//!
//! S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
//! Reinforcement Learning", 2017; `torch.nn.SiLU`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, silu};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.SiLU`: `x * sigmoid(x)`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silu {}

impl Component for Silu {}

impl Layer for Silu {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => silu(x).into(),
            Activations::Features(x) => silu(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "SiLU()".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Silu))
    }
}
