//! Layer normalisation of features, or of each pixel's channels.
//!
//! # Source
//!
//! J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016; `torch.nn.LayerNorm`, and for images the
//! `LayerNorm2d` of `torchvision.models.convnext`.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::layer_norm;
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
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

    /// Brings rows or pixels to mean 0 and variance 1, then scales and shifts them.
    fn apply<const D: usize>(&self, parameters: &Parameters, x: Tensor<D>) -> Tensor<D> {
        let (channels, device) = (x.dims()[1], x.device());
        let weight = match self.elementwise_affine {
            true => parameters.vector(0),
            false => Tensor::ones([channels], &device),
        };
        let bias = match self.has_bias() {
            true => parameters.vector(1),
            false => Tensor::zeros([channels], &device),
        };
        layer_norm(x, weight, bias, self.eps)
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
            Activations::Images(images_nchw) => self.apply(parameters, images_nchw).into(),
            Activations::Features(features_nk) => self.apply(parameters, features_nk).into(),
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
