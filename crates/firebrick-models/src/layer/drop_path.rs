//! Stochastic depth: the body of a residual block left out for some images.
//!
//! # Source
//!
//! G. Huang et al., "Deep Networks with Stochastic Depth", 2016; `torchvision.ops.StochasticDepth(p, mode="row")`.

use burn::tensor::{Device, Distribution, Tensor};
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::Parameters;
use super::python;
use crate::shape::Shape;

/// `torchvision.ops.StochasticDepth` by rows: in training all numbers of an image become 0 with probability `p`, and
/// those of the others are divided by `1 - p`.
///
/// As for [`Dropout`](super::Dropout), the choice comes from the device's generator, which is seeded from the run's seed and the step
/// before each step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropPath {
    /// Probability that an image loses the block in training, 0 to below 1.
    pub p: f64,
}

impl DropPath {
    /// `StochasticDepth(p, "row")`.
    pub fn new(p: f64) -> Self {
        Self { p }
    }

    /// 0 or `1 / (1 - p)` for each image, `[n, 1]`.
    fn factors(&self, num_images: usize, device: &Device) -> Tensor<2> {
        let kept = Tensor::random([num_images, 1], Distribution::Bernoulli(1.0 - self.p), device);
        kept / (1.0 - self.p)
    }
}

impl Component for DropPath {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::below_one("p", self.p)
    }
}

impl Layer for DropPath {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) if self.p > 0.0 && x.device().is_autodiff() => {
                let num_images = x.dims()[0];
                let factors = self.factors(num_images, &x.device());
                (x * factors.reshape([num_images, 1, 1, 1])).into()
            }
            Activations::Features(x) if self.p > 0.0 && x.device().is_autodiff() => {
                let factors = self.factors(x.dims()[0], &x.device());
                (x * factors).into()
            }
            x => x,
        }
    }

    fn repr(&self, _input: Shape) -> String {
        format!("StochasticDepth(p={}, mode=row)", python::float(self.p))
    }

    fn is_random(&self) -> bool {
        self.p > 0.0
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
