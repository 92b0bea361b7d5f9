//! Dropout.
//!
//! # Source
//!
//! `torch.nn.Dropout`.

use burn::nn::DropoutConfig;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::Parameters;
use super::python;
use crate::shape::Shape;

/// `nn.Dropout`: in training every number becomes 0 with probability `p`, and the others are divided by `1 - p`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dropout {
    /// Probability that a number becomes zero in training, 0 to below 1.
    pub p: f64,
}

impl Default for Dropout {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Component for Dropout {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::below_one("p", self.p)
    }
}

impl Layer for Dropout {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        let dropout = DropoutConfig::new(self.p).init();
        match x {
            Activations::Images(x) => dropout.forward(x).into(),
            Activations::Features(x) => dropout.forward(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        format!("Dropout(p={}, inplace=False)", python::float(self.p))
    }

    fn is_random(&self) -> bool {
        self.p > 0.0
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
