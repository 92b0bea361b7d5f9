//! A constant factor.
//!
//! # Source
//!
//! `torch.mul`; the last layer of airbench94.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::Parameters;
use super::python;
use crate::shape::Shape;

/// Every number times `factor`, which training does not change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The factor.
    pub factor: f64,
}

impl Component for Scale {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::finite("factor", self.factor)
    }
}

impl Layer for Scale {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => (x * self.factor).into(),
            Activations::Features(x) => (x * self.factor).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        format!("Scale(factor={})", python::float(self.factor))
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }
}
