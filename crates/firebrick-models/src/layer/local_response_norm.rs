//! Local response normalisation: what the first AlexNet had where later networks have batch normalisation.
//!
//! # Source
//!
//! A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012;
//! `torch.nn.LocalResponseNorm`, which divides `alpha` by `size`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::border::bordered;
use super::parameters::Parameters;
use super::python;
use crate::shape::{MAX_SIZE, Shape};

/// `nn.LocalResponseNorm`: `x / (k + alpha * mean)^beta`, where `mean` is that of the squares of `size` neighbouring
/// channels of the pixel; channels that are not there count as 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalResponseNorm {
    /// Neighbouring channels, the channel itself included.
    pub size: usize,
    /// Factor of the mean.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
    /// Exponent.
    #[serde(default = "default_beta")]
    pub beta: f64,
    /// Added to the mean; above 0, so that nothing is divided by 0.
    #[serde(default = "default_k")]
    pub k: f64,
}

fn default_alpha() -> f64 {
    1e-4
}

fn default_beta() -> f64 {
    0.75
}

fn default_k() -> f64 {
    1.0
}

impl LocalResponseNorm {
    /// `nn.LocalResponseNorm(size)`.
    pub fn new(size: usize) -> Self {
        Self { size, alpha: default_alpha(), beta: default_beta(), k: default_k() }
    }
}

impl Component for LocalResponseNorm {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("size", self.size, 1, MAX_SIZE)?;
        check::non_negative("alpha", self.alpha)?;
        check::finite("beta", self.beta)?;
        check::positive("k", self.k)
    }
}

impl Layer for LocalResponseNorm {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        input.image().map(Shape::Image)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        let images_nchw = x.images();
        let channels = images_nchw.dims()[1];
        // As torch: of an even number of neighbours, one more lies before the channel than behind it.
        let neighbours = [self.size / 2, (self.size - 1) / 2];
        let padded = bordered(images_nchw.clone() * images_nchw.clone(), 1, neighbours, 0.0);
        let first = padded.clone().narrow(1, 0, channels);
        let sum = (1..self.size).fold(first, |sum, shift| sum + padded.clone().narrow(1, shift, channels));
        let base = sum * (self.alpha / self.size as f64) + self.k;
        (images_nchw / base.powf_scalar(self.beta)).into()
    }

    fn repr(&self, _input: Shape) -> String {
        format!(
            "LocalResponseNorm({}, alpha={}, beta={}, k={})",
            self.size,
            python::float(self.alpha),
            python::float(self.beta),
            python::float(self.k),
        )
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
