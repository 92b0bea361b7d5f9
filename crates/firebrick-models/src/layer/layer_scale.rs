//! A learned factor for each channel.
//!
//! # Source
//!
//! H. Touvron et al., "Going deeper with Image Transformers", 2021; the `layer_scale` of
//! `torchvision.models.convnext.CNBlock`.

use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::scale;
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::{Init, ParameterSpec, Parameters};
use super::python;
use crate::shape::Shape;
use crate::walk::Role;

/// Every channel times a parameter of its own, called `layer_scale`; torchvision keeps it in the block itself and not
/// in a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerScale {
    /// What the factors begin as.
    pub init_value: f64,
}

impl Default for LayerScale {
    fn default() -> Self {
        Self { init_value: 1e-6 }
    }
}

impl Component for LayerScale {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::finite("init_value", self.init_value)
    }
}

impl Layer for LayerScale {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        input.image().map(Shape::Image)
    }

    /// `[channels, 1, 1]`, so that torch multiplies it by images as it is.
    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let init = Init::Constant(self.init_value as f32);
        vec![ParameterSpec::new("layer_scale", Role::Weight, [input.channels(), 1, 1], init)]
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        scale(x.images(), parameters.planes(0).unsqueeze()).into()
    }

    fn repr(&self, _input: Shape) -> String {
        format!("LayerScale(init_value={})", python::float(self.init_value))
    }

    fn multiply_adds(&self, _input: Shape, output: Shape) -> u64 {
        output.num_elements() as u64
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }
}
