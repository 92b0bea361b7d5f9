//! Fully connected layer.
//!
//! # Source
//!
//! `torch.nn.Linear`.

use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::{Pool, linear};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Epilogue, Gives, Layer};
use super::parameters::{Init, ParameterSpec, Parameters};
use super::python;
use crate::shape::{MAX_CLASSES, Shape};
use crate::walk::Role;

/// `nn.Linear`; `in_features` follows from what comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Length of the output.
    pub out_features: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn yes() -> bool {
    true
}

impl Linear {
    /// `nn.Linear(_, out_features)`.
    pub fn new(out_features: usize) -> Self {
        Self { out_features, bias: yes() }
    }

    /// The same with or without a `bias`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }
}

impl Component for Linear {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("out_features", self.out_features, 1, MAX_CLASSES)
    }
}

impl Layer for Linear {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        input.features()?;
        Ok(Shape::Features(self.out_features))
    }

    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let in_features = input.channels();
        let init = Init::KaimingUniform { fan_in: in_features };
        let weight = [self.out_features, in_features];
        let mut specs = vec![ParameterSpec::new("weight", Role::LinearWeight, weight, init)];
        if self.bias {
            specs.push(ParameterSpec::new("bias", Role::Bias, [self.out_features], init));
        }
        specs
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        self.forward_fused(parameters, x, Epilogue::default(), None)
    }

    fn repr(&self, input: Shape) -> String {
        format!(
            "Linear(in_features={}, out_features={}, bias={})",
            input.channels(),
            self.out_features,
            python::bool(self.bias)
        )
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }

    fn multiply_adds(&self, input: Shape, output: Shape) -> u64 {
        input.channels() as u64 * output.channels() as u64
    }

    fn fuses(&self, epilogue: Epilogue) -> bool {
        !epilogue.residual && epilogue.pool == Pool::None
    }

    fn forward_fused(
        &self,
        parameters: &Parameters,
        x: Activations,
        epilogue: Epilogue,
        _residual: Option<Activations>,
    ) -> Activations {
        let bias = self.bias.then(|| parameters.vector(1));
        linear(x.features(), parameters.matrix(0), bias, epilogue.activation).into()
    }
}
