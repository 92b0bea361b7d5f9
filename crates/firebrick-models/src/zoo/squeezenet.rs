//! SqueezeNet 1.1: AlexNet's accuracy with a fiftieth of its parameters.
//!
//! # Source
//!
//! F. N. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016, in its
//! authors' version 1.1; `torchvision.models.squeezenet`, whose names and first weights these are: convolutions
//! `kaiming_uniform_()`, the last from `N(0, 0.01^2)`, every bias 0.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::numbered;
use crate::layer::{AdaptiveAvgPool2d, Conv2d, Dropout, Flatten, Init, MaxPool2d, ParameterSpec, Relu};
use crate::network::{Named, NetworkPlan, Node};
use crate::walk::Role;

/// The last convolution.
const HEAD: &str = "classifier.1";

network! {
    /// `torchvision.models.squeezenet1_1`.
    SqueezeNetConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("squeezenet1_1-b8a52dc0.pth", 4.729, 58.178),
    ];
    /// Probability of the dropout before the last convolution.
    dropout: f64 = 0.5, check::below_one;
    => build;
}

fn build(config: &SqueezeNetConfig) -> Result<NetworkPlan, ArgumentError> {
    let pool = || MaxPool2d::new(3).stride(2).ceil_mode(true).into();
    let features = vec![
        Conv2d::new(64, 3).stride(2).into(),
        Relu {}.into(),
        pool(),
        fire(16, 64),
        fire(16, 64),
        pool(),
        fire(32, 128),
        fire(32, 128),
        pool(),
        fire(48, 192),
        fire(48, 192),
        fire(64, 256),
        fire(64, 256),
    ];
    let classifier = vec![
        Dropout { p: config.dropout }.into(),
        Conv2d::new(config.num_classes, 1).into(),
        Relu {}.into(),
        AdaptiveAvgPool2d::new(1).into(),
    ];
    let layers = vec![
        Node::sequence(numbered(features)).named("features"),
        Node::sequence(classifier).named("classifier"),
        Flatten {}.functional("flatten"),
    ];
    Ok(NetworkPlan::new("SqueezeNet", config.input_shape, layers)?.initialised(first_values))
}

fn first_values(path: &str, spec: &ParameterSpec) -> Option<Init> {
    let fan_in = spec.shape.iter().skip(1).product::<usize>() as f64;
    match spec.role {
        Role::Weight if path == HEAD => Some(Init::Normal { std: 0.01 }),
        Role::Weight => Some(Init::Uniform { bound: (6.0 / fan_in).sqrt() }),
        Role::Bias => Some(Init::Constant(0.0)),
        _ => None,
    }
}

/// Few channels, and of them two halves of many: by 1x1 and by 3x3 convolutions.
fn fire(squeeze: usize, expand: usize) -> Node {
    Node::sequence(vec![
        Conv2d::new(squeeze, 1).named("squeeze"),
        Relu {}.named("squeeze_activation"),
        Node::concat(vec![
            vec![Conv2d::new(expand, 1).named("expand1x1"), Relu {}.named("expand1x1_activation")],
            vec![Conv2d::new(expand, 3).padding(1).named("expand3x3"), Relu {}.named("expand3x3_activation")],
        ]),
    ])
    .class("Fire")
}
