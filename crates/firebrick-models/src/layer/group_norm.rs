//! Group normalisation.
//!
//! # Source
//!
//! Y. Wu, K. He, "Group Normalization", 2018; `torch.nn.GroupNorm`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::normalise::normalise;
use super::parameters::{Init, ParameterSpec, Parameters};
use super::python;
use crate::shape::{MAX_SIZE, Shape};
use crate::walk::Role;

/// `nn.GroupNorm`: each group of an image's channels brought to mean 0 and variance 1, then every channel scaled and
/// shifted; `num_channels` follows from what comes in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    /// How many groups the channels are divided into.
    pub num_groups: usize,
    /// Keeps the division by the standard deviation away from zero; above 0.
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// Whether there are a weight and a bias for each channel.
    #[serde(default = "yes")]
    pub affine: bool,
    /// With `false` there is a weight alone.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn default_eps() -> f64 {
    1e-5
}

fn yes() -> bool {
    true
}

impl GroupNorm {
    /// `nn.GroupNorm(num_groups, _)`.
    pub fn new(num_groups: usize) -> Self {
        Self { num_groups, eps: default_eps(), affine: yes(), bias: yes() }
    }

    fn has_bias(&self) -> bool {
        self.affine && self.bias
    }
}

impl Component for GroupNorm {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("num_groups", self.num_groups, 1, MAX_SIZE)?;
        check::positive("eps", self.eps)
    }
}

impl Layer for GroupNorm {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let image = input.image()?;
        let expected = format!("a divisor of the {} channels that come in", image[0]);
        check::that(image[0].is_multiple_of(self.num_groups), "num_groups", self.num_groups, expected)?;
        Ok(input)
    }

    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let shape = [input.channels()];
        let mut specs = Vec::new();
        if self.affine {
            specs.push(ParameterSpec::new("weight", Role::NormWeight, shape, Init::Constant(1.0)));
        }
        if self.has_bias() {
            specs.push(ParameterSpec::new("bias", Role::NormBias, shape, Init::Constant(0.0)));
        }
        specs
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        let images_nchw = x.images();
        let [n, c, h, w] = images_nchw.dims();
        let rows = images_nchw.reshape([n * self.num_groups, c / self.num_groups * h * w]);
        let mut images_nchw = normalise(rows, self.eps).reshape([n, c, h, w]);
        if self.affine {
            images_nchw = images_nchw * parameters.vector(0).reshape([1, c, 1, 1]);
        }
        if self.has_bias() {
            images_nchw = images_nchw + parameters.vector(1).reshape([1, c, 1, 1]);
        }
        images_nchw.into()
    }

    fn repr(&self, input: Shape) -> String {
        format!(
            "GroupNorm({}, {}, eps={}, affine={}, bias={})",
            self.num_groups,
            input.channels(),
            python::float(self.eps),
            python::bool(self.affine),
            python::bool(self.has_bias()),
        )
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }
}
