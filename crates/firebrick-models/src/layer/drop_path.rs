//! Stochastic depth: the body of a residual block left out for some images.
//!
//! # Source
//!
//! G. Huang et al., "Deep Networks with Stochastic Depth", 2016; `torchvision.ops.StochasticDepth(p, mode="row")`.

use burn::tensor::{Device, Distribution, Tensor};
use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::{scale, scale_add};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Epilogue, Gives, Layer};
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

    /// 0 or `1 / (1 - p)` for each image, `[n, 1]`, where it trains and may leave one out.
    fn factors(&self, num_images: usize, device: &Device) -> Option<Tensor<2>> {
        if self.p == 0.0 || !device.is_autodiff() {
            return None;
        }
        let kept = Tensor::random([num_images, 1], Distribution::Bernoulli(1.0 - self.p), device);
        Some(kept / (1.0 - self.p))
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

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        self.forward_fused(parameters, x, Epilogue::default(), None)
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

    /// The addition at the end of a residual block.
    fn fuses(&self, epilogue: Epilogue) -> bool {
        epilogue == Epilogue { residual: true, ..Epilogue::default() }
    }

    fn forward_fused(
        &self,
        _parameters: &Parameters,
        x: Activations,
        _epilogue: Epilogue,
        residual: Option<Activations>,
    ) -> Activations {
        match x {
            Activations::Images(x) => {
                let factors = self.factors(x.dims()[0], &x.device());
                let factors = factors.map(|factors| factors.reshape([x.dims()[0], 1, 1, 1]));
                match (factors, residual.map(Activations::images)) {
                    (Some(factors), Some(residual)) => scale_add(x, factors, residual).into(),
                    (Some(factors), None) => scale(x, factors).into(),
                    (None, Some(residual)) => (x + residual).into(),
                    (None, None) => x.into(),
                }
            }
            Activations::Features(x) => {
                let x = match self.factors(x.dims()[0], &x.device()) {
                    Some(factors) => x * factors,
                    None => x,
                };
                match residual.map(Activations::features) {
                    Some(residual) => (x + residual).into(),
                    None => x.into(),
                }
            }
        }
    }
}
