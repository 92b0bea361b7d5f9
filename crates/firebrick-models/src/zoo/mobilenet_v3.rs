//! MobileNetV3, small and large: MobileNetV2's blocks with gates and with an activation of straight lines.
//!
//! # Source
//!
//! A. Howard et al., "Searching for MobileNetV3", 2019, tables 1 and 2; `torchvision.models.mobilenetv3`, whose names and
//! first weights these are: convolutions `kaiming_normal_(mode="fan_out")`, linear layers from `N(0, 0.01^2)`, every
//! bias 0.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::{
    ConvNorm, fan_out_and_small_linear, make_divisible, numbered, pooled, squeeze_excitation,
};
use crate::layer::{BatchNorm2d, Dropout, Hardsigmoid, Hardswish, Linear, Relu};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};

/// A row of the paper's tables.
struct Block {
    kernel_size: usize,
    /// Channels inside.
    inside: usize,
    out_channels: usize,
    has_gate: bool,
    activation: Activation,
    stride: usize,
}

#[derive(Clone, Copy)]
enum Activation {
    Relu,
    Hardswish,
}
use Activation::{Hardswish as HS, Relu as RE};

/// A row as the paper's tables have it.
const fn row(
    kernel_size: usize,
    inside: usize,
    out_channels: usize,
    has_gate: bool,
    activation: Activation,
    stride: usize,
) -> Block {
    Block { kernel_size, inside, out_channels, has_gate, activation, stride }
}

#[rustfmt::skip]
const LARGE: [Block; 15] = [
    row(3, 16, 16, false, RE, 1),
    row(3, 64, 24, false, RE, 2),
    row(3, 72, 24, false, RE, 1),
    row(5, 72, 40, true, RE, 2),
    row(5, 120, 40, true, RE, 1),
    row(5, 120, 40, true, RE, 1),
    row(3, 240, 80, false, HS, 2),
    row(3, 200, 80, false, HS, 1),
    row(3, 184, 80, false, HS, 1),
    row(3, 184, 80, false, HS, 1),
    row(3, 480, 112, true, HS, 1),
    row(3, 672, 112, true, HS, 1),
    row(5, 672, 160, true, HS, 2),
    row(5, 960, 160, true, HS, 1),
    row(5, 960, 160, true, HS, 1),
];

#[rustfmt::skip]
const SMALL: [Block; 11] = [
    row(3, 16, 16, true, RE, 2),
    row(3, 72, 24, false, RE, 2),
    row(3, 88, 24, false, RE, 1),
    row(5, 96, 40, true, HS, 2),
    row(5, 240, 40, true, HS, 1),
    row(5, 240, 40, true, HS, 1),
    row(5, 120, 48, true, HS, 1),
    row(5, 144, 48, true, HS, 1),
    row(5, 288, 96, true, HS, 2),
    row(5, 576, 96, true, HS, 1),
    row(5, 576, 96, true, HS, 1),
];

network! {
    /// `torchvision.models.mobilenet_v3_large`.
    MobileNetV3LargeConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("mobilenet_v3_large-8738ca79.pth", 21.114, 74.042),
        PublishedWeights::v2("mobilenet_v3_large-5c1a4163.pth", 21.107, 75.274),
    ];
    /// Probability of the dropout before the last layer.
    dropout: f64 = 0.2, check::below_one;
    => |config| network(&LARGE, 1280, config.input_shape, config.num_classes, config.dropout);
}

network! {
    /// `torchvision.models.mobilenet_v3_small`.
    MobileNetV3SmallConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("mobilenet_v3_small-047dcff4.pth", 9.829, 67.668),
    ];
    /// Probability of the dropout before the last layer.
    dropout: f64 = 0.2, check::below_one;
    => |config| network(&SMALL, 1024, config.input_shape, config.num_classes, config.dropout);
}

fn norm() -> BatchNorm2d {
    BatchNorm2d { eps: 1e-3, momentum: 0.01, ..BatchNorm2d::default() }
}

fn network(
    blocks: &[Block],
    hidden_features: usize,
    input_shape: [usize; 3],
    num_classes: usize,
    dropout: f64,
) -> Result<NetworkPlan, ArgumentError> {
    let mut features = vec![ConvNorm::new(16, 3).stride(2).norm(&norm()).then(Hardswish {})];
    let mut channels = 16;
    for block in blocks {
        features.push(block.node(channels));
        channels = block.out_channels;
    }
    features.push(ConvNorm::new(6 * channels, 1).norm(&norm()).then(Hardswish {}));
    let classifier = vec![
        Linear::new(hidden_features).into(),
        Hardswish {}.into(),
        Dropout { p: dropout }.into(),
        Linear::new(num_classes).into(),
    ];
    let mut layers = vec![Node::sequence(numbered(features)).named("features")];
    layers.extend(pooled());
    layers.push(Node::sequence(classifier).named("classifier"));
    Ok(NetworkPlan::new("MobileNetV3", input_shape, layers)?.initialised(fan_out_and_small_linear))
}

impl Block {
    fn node(&self, channels: usize) -> Node {
        let Self { kernel_size, inside, out_channels, has_gate, activation, stride } = *self;
        let conv =
            |out_channels: usize, kernel_size: usize| ConvNorm::new(out_channels, kernel_size).norm(&norm());
        let activation = || match activation {
            Activation::Relu => Node::from(Relu {}),
            Activation::Hardswish => Node::from(Hardswish {}),
        };
        let mut body = Vec::new();
        if inside != channels {
            body.push(conv(inside, 1).then(activation()));
        }
        body.push(conv(inside, kernel_size).stride(stride).groups(inside).then(activation()));
        if has_gate {
            body.push(squeeze_excitation(inside, make_divisible(inside / 4, 8), Relu {}, Hardsigmoid {}));
        }
        body.push(conv(out_channels, 1).linear());
        let body = vec![Node::sequence(numbered(body)).named("block")];
        let block = match stride == 1 && channels == out_channels {
            true => Node::residual(body, vec![], vec![], ShortcutWhen::ShapeChanges),
            false => Node::sequence(body),
        };
        block.class("InvertedResidual")
    }
}
