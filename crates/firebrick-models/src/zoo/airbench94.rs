//! airbench94: a network that learns CIFAR-10 to 94% in less than ten epochs.
//!
//! Its first convolution sees windows of 2x2 pixels and is not trained: its filters whiten the windows of the training
//! images, see [`Whitening`]. The other convolutions begin by handing their input on, and the logits are made nine times
//! smaller.
//!
//! # Source
//!
//! K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024; names of the parameters as the author's network,
//! an `nn.Sequential`, has them.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::parts::numbered;
use crate::layer::{BatchNorm2d, Conv2d, Flatten, Gelu, Init, Linear, MaxPool2d, ParameterSpec, Scale};
use crate::network::{Named, NetworkConfig, NetworkPlan, Node};
use crate::shape::{MAX_CLASSES, MAX_SIZE};
use crate::walk::Role;
use crate::whitening::Whitening;

/// The first convolution.
const WHITENING: &str = "0";
/// Height and width of its window.
const WINDOW: usize = 2;

/// airbench94 for small images.
///
/// The author trains neither the first convolution's weight nor the weights of the norms, which stay 1:
/// `model.freeze = ["0.weight", "*.norm?.weight"]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Airbench94Config {
    /// Classes to tell apart.
    pub num_classes: usize,
    /// `[channels, height, width]` of the images that it takes.
    pub input_shape: [usize; 3],
    /// Channels of the three blocks.
    pub widths: [usize; 3],
    /// What the logits are multiplied by.
    pub scaling_factor: f64,
}

impl Default for Airbench94Config {
    fn default() -> Self {
        Self { num_classes: 10, input_shape: [3, 32, 32], widths: [64, 256, 256], scaling_factor: 1.0 / 9.0 }
    }
}

impl Component for Airbench94Config {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.build().map(drop)
    }
}

impl NetworkConfig for Airbench94Config {
    fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn set_num_classes(&mut self, num_classes: usize) {
        self.num_classes = num_classes;
    }

    fn build(&self) -> Result<NetworkPlan, ArgumentError> {
        check::in_range("num_classes", self.num_classes, 1, MAX_CLASSES)?;
        check::finite("scaling_factor", self.scaling_factor)?;
        for (index, width) in self.widths.iter().enumerate() {
            check::in_range(&format!("widths[{index}]"), *width, 1, MAX_SIZE)?;
        }
        let [channels, height, width] = self.input_shape;
        check::in_range("input_shape[0]", channels, 1, MAX_SIZE)?;
        // One pixel less behind the first window; then three halvings and a pool of three.
        let least = WINDOW - 1 + 8 * 3;
        let fits = height >= least && width >= least;
        let expected = format!("at least {least}x{least} pixels");
        check::that(fits, "input_shape", format!("{:?}", self.input_shape), expected)?;
        let layers = vec![
            Conv2d::new(2 * channels * WINDOW * WINDOW, WINDOW).into(),
            Gelu {}.into(),
            block(self.widths[0]),
            block(self.widths[1]),
            block(self.widths[2]),
            MaxPool2d::new(3).into(),
            Flatten {}.into(),
            Linear::new(self.num_classes).bias(false).into(),
            Scale { factor: self.scaling_factor }.into(),
        ];
        Ok(NetworkPlan::new("Sequential", self.input_shape, numbered(layers))?.initialised(first_values))
    }

    fn whitening(&self) -> Option<Whitening> {
        Some(Whitening { layer: WHITENING, window: [WINDOW; 2], num_images: 5000, eps: 5e-4 })
    }
}

/// Two convolutions, the first with a pool behind it.
fn block(channels: usize) -> Node {
    let conv = || Conv2d::new(channels, 3).padding(1).bias(false);
    let norm = || BatchNorm2d { eps: 1e-12, momentum: 0.4, ..BatchNorm2d::default() };
    Node::sequence(vec![
        conv().named("conv1"),
        MaxPool2d::new(2).named("pool"),
        norm().named("norm1"),
        Gelu {}.named("activ"),
        conv().named("conv2"),
        norm().named("norm2"),
        Gelu {}.functional("activ2"),
    ])
    .class("ConvGroup")
}

fn first_values(path: &str, spec: &ParameterSpec) -> Option<Init> {
    match spec.role {
        Role::Weight => Some(Init::Dirac { fan_in: spec.shape.iter().skip(1).product() }),
        Role::Bias if path == WHITENING => Some(Init::Constant(0.0)),
        _ => None,
    }
}
