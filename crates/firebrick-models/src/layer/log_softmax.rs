//! Logarithm of the softmax over the classes: what the losses `nll` and `kl_div` take.
//!
//! # Source
//!
//! `torch.nn.LogSoftmax(dim=1)`.

use burn::tensor::activation::log_softmax;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.LogSoftmax(dim=1)`: scores become log-probabilities, over the features of each image or over the channels of
/// each pixel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSoftmax {}

impl Component for LogSoftmax {}

impl Layer for LogSoftmax {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => log_softmax(x, 1).into(),
            Activations::Features(x) => log_softmax(x, 1).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "LogSoftmax(dim=1)".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::LogProbabilities
    }
}
