//! Fully connected layer.
//!
//! # Source
//!
//! `torch.nn.Linear`.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::linear;
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
    /// Whether an image is taken, whose channels are the features of each pixel: torch's layer between
    /// `permute(0, 2, 3, 1)` and `permute(0, 3, 1, 2)`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub per_pixel: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn yes() -> bool {
    true
}

impl Linear {
    /// `nn.Linear(_, out_features)`.
    pub fn new(out_features: usize) -> Self {
        Self { out_features, bias: yes(), per_pixel: false }
    }

    /// The same with or without a `bias`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }

    /// The same for the channels of each pixel of an image.
    #[must_use]
    pub fn per_pixel(self) -> Self {
        Self { per_pixel: true, ..self }
    }
}

impl Component for Linear {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("out_features", self.out_features, 1, MAX_CLASSES)
    }
}

impl Layer for Linear {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        if self.per_pixel {
            let [_, height, width] = input.image()?;
            return Ok(Shape::Image([self.out_features, height, width]));
        }
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
        input.channels() as u64 * output.num_elements() as u64
    }

    fn fuses(&self, epilogue: Epilogue) -> bool {
        epilogue == Epilogue { activation: epilogue.activation, ..Epilogue::default() }
            && epilogue.activation.fused().is_some()
    }

    fn forward_fused(
        &self,
        parameters: &Parameters,
        x: Activations,
        epilogue: Epilogue,
        _residual: Option<Activations>,
    ) -> Activations {
        let bias = self.bias.then(|| parameters.vector(1));
        let weight = parameters.matrix(0);
        let apply = |rows: Tensor<2>| linear(rows, weight, bias, epilogue.activation);
        match x {
            Activations::Features(features_nk) => apply(features_nk).into(),
            Activations::Images(images_nchw) => {
                let images_nhwc = images_nchw.permute([0, 2, 3, 1]);
                let [n, h, w, c] = images_nhwc.dims();
                let rows = apply(images_nhwc.reshape([n * h * w, c]));
                rows.reshape([n, h, w, self.out_features]).permute([0, 3, 1, 2]).into()
            }
        }
    }
}
