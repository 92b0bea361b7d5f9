//! DenseNet-121: every layer of a block sees the outputs of all layers before it.
//!
//! # Source
//!
//! G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, "Densely Connected Convolutional Networks", 2017;
//! `torchvision.models.densenet`, whose names and first weights these are: convolutions `kaiming_normal_()`, the linear
//! layer's bias 0, its weight torch's default.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::pooled;
use crate::layer::{AvgPool2d, BatchNorm2d, Conv2d, Dropout, Init, Linear, MaxPool2d, ParameterSpec, Relu};
use crate::network::{Named, NetworkPlan, Node};
use crate::walk::Role;

/// Channels that each layer adds.
const GROWTH_RATE: usize = 32;
/// Layers of the four blocks.
const DEPTHS: [usize; 4] = [6, 12, 24, 16];
/// Channels before the first block.
const STEM: usize = 64;

network! {
    /// `torchvision.models.densenet121`.
    DenseNet121Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("densenet121-a639ec97.pth", 30.845, 74.434),
    ];
    /// Probability of the dropout behind each layer of a block; torchvision's `drop_rate`.
    dropout: f64 = 0.0, check::below_one;
    => build;
}

fn build(config: &DenseNet121Config) -> Result<NetworkPlan, ArgumentError> {
    let mut features = vec![
        Conv2d::new(STEM, 7).stride(2).padding(3).bias(false).named("conv0"),
        BatchNorm2d::default().named("norm0"),
        Relu {}.named("relu0"),
        MaxPool2d::new(3).stride(2).padding(1).named("pool0"),
    ];
    let mut channels = STEM;
    for (index, depth) in DEPTHS.into_iter().enumerate() {
        let layers = (1..=depth).map(|layer| dense_layer(layer, config.dropout)).collect();
        features.push(Node::sequence(layers).named(format!("denseblock{}", index + 1)).class("_DenseBlock"));
        channels += depth * GROWTH_RATE;
        if index + 1 < DEPTHS.len() {
            channels /= 2;
            features.push(transition(channels).named(format!("transition{}", index + 1)));
        }
    }
    features.push(BatchNorm2d::default().named("norm5"));
    let mut layers = vec![Node::sequence(features).named("features"), Relu {}.functional("relu")];
    layers.extend(pooled());
    layers.push(Linear::new(config.num_classes).named("classifier"));
    Ok(NetworkPlan::new("DenseNet", config.input_shape, layers)?.initialised(first_values))
}

fn first_values(_: &str, spec: &ParameterSpec) -> Option<Init> {
    match spec.role {
        Role::Weight => Some(Init::kaiming_normal_fan_in(&spec.shape)),
        Role::Bias => Some(Init::Constant(0.0)),
        _ => None,
    }
}

/// What comes in, and behind its channels those that two convolutions make of it.
fn dense_layer(layer: usize, dropout: f64) -> Node {
    let mut layers = vec![
        BatchNorm2d::default().named("norm1"),
        Relu {}.named("relu1"),
        Conv2d::new(4 * GROWTH_RATE, 1).bias(false).named("conv1"),
        BatchNorm2d::default().named("norm2"),
        Relu {}.named("relu2"),
        Conv2d::new(GROWTH_RATE, 3).padding(1).bias(false).named("conv2"),
    ];
    if dropout > 0.0 {
        layers.push(Dropout { p: dropout }.functional("dropout"));
    }
    let layers = Node::sequence(layers).named(format!("denselayer{layer}")).class("_DenseLayer");
    Node::concat(vec![vec![], vec![layers]])
}

/// Half as many channels, and half the image.
fn transition(channels: usize) -> Node {
    Node::sequence(vec![
        BatchNorm2d::default().named("norm"),
        Relu {}.named("relu"),
        Conv2d::new(channels, 1).bias(false).named("conv"),
        AvgPool2d::new(2).named("pool"),
    ])
    .class("_Transition")
}
