//! From an image to features.
//!
//! # Source
//!
//! `torch.nn.Flatten`.

use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::Shape;

/// `nn.Flatten` of everything but the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Component for Flatten {}

impl Layer for Flatten {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        Ok(Shape::Features(input.num_elements()))
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        match x {
            Activations::Images(images_nchw) => firebrick_kernels::flatten(images_nchw).into(),
            features @ Activations::Features(_) => features,
        }
    }

    fn repr(&self, _input: Shape) -> String {
        "Flatten(start_dim=1, end_dim=-1)".to_owned()
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
