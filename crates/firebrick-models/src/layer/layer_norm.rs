//! Layer normalisation of features, or of each pixel's channels.
//!
//! # Source
//!
//! J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016; `torch.nn.LayerNorm`, and for images the
//! `LayerNorm2d` of `torchvision.models.convnext`.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::normalise::normalise;
use super::parameters::{Init, ParameterSpec, Parameters};
use super::python;
use crate::shape::Shape;
use crate::walk::Role;

/// `nn.LayerNorm` over the features of each image, or over the channels of each pixel; `normalized_shape` follows from
/// what comes in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerNorm {
    /// Keeps the division by the standard deviation away from zero; above 0.
    pub eps: f64,
    /// Whether there are a weight and a bias for each feature or channel.
    pub elementwise_affine: bool,
    /// With `false` there is a weight alone.
    pub bias: bool,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { eps: 1e-5, elementwise_affine: true, bias: true }
    }
}

impl LayerNorm {
    fn has_bias(&self) -> bool {
        self.elementwise_affine && self.bias
    }

    /// Brings the rows to mean 0 and variance 1, then scales and shifts them.
    fn rows(&self, parameters: &Parameters, rows_nc: Tensor<2>) -> Tensor<2> {
        let mut rows = normalise(rows_nc, self.eps);
        if self.elementwise_affine {
            rows = rows * parameters.vector(0).unsqueeze();
        }
        if self.has_bias() {
            rows = rows + parameters.vector(1).unsqueeze();
        }
        rows
    }
}

impl Component for LayerNorm {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::positive("eps", self.eps)
    }
}

impl Layer for LayerNorm {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let shape = [input.channels()];
        let mut specs = Vec::new();
        if self.elementwise_affine {
            specs.push(ParameterSpec::new("weight", Role::NormWeight, shape, Init::Constant(1.0)));
        }
        if self.has_bias() {
            specs.push(ParameterSpec::new("bias", Role::NormBias, shape, Init::Constant(0.0)));
        }
        specs
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(images_nchw) => {
                let images_nhwc = images_nchw.permute([0, 2, 3, 1]);
                let [n, h, w, c] = images_nhwc.dims();
                let rows_nc = self.rows(parameters, images_nhwc.reshape([n * h * w, c]));
                rows_nc.reshape([n, h, w, c]).permute([0, 3, 1, 2]).into()
            }
            Activations::Features(features_nk) => self.rows(parameters, features_nk).into(),
        }
    }

    fn repr(&self, input: Shape) -> String {
        let class = match input {
            Shape::Image(_) => "LayerNorm2d",
            Shape::Features(_) => "LayerNorm",
        };
        format!(
            "{class}(({},), eps={}, elementwise_affine={}, bias={})",
            input.channels(),
            python::float(self.eps),
            python::bool(self.elementwise_affine),
            python::bool(self.has_bias()),
        )
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }
}
