//! Rectified linear unit that ends at 6: MobileNetV2's.
//!
//! # Source
//!
//! A. Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010; `torch.nn.ReLU6`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, relu6};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.ReLU6`: `min(max(x, 0), 6)`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu6 {}

impl Component for Relu6 {}

impl Layer for Relu6 {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(input)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(x) => relu6(x).into(),
            Activations::Features(x) => relu6(x).into(),
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "ReLU6()".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::NonNegative
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        Some(EpilogueStep::Activation(Activation::Relu6))
    }
}
