//! MobileNetV2: narrow images between blocks, wide depthwise convolutions inside.
//!
//! # Source
//!
//! M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018; `torchvision.models.mobilenet_v2`, whose
//! names and first weights these are: convolutions `kaiming_normal_(mode="fan_out")`, the linear layer from
//! `N(0, 0.01^2)`, its bias 0.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::{ConvNorm, fan_out_and_small_linear, numbered, pooled};
use crate::layer::{BatchNorm2d, Conv2d, Dropout, Linear, Relu6};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};

/// How much wider a block is inside, its channels behind it, how often it is there, and the first one's stride.
const BLOCKS: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

network! {
    /// `torchvision.models.mobilenet_v2`.
    MobileNetV2Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("mobilenet_v2-b0353104.pth", 13.555, 71.878),
        PublishedWeights::v2("mobilenet_v2-7ebf99e0.pth", 13.598, 72.154),
    ];
    /// Probability of the dropout before the last layer.
    dropout: f64 = 0.2, check::below_one;
    => build;
}

fn build(config: &MobileNetV2Config) -> Result<NetworkPlan, ArgumentError> {
    let mut features = vec![ConvNorm::new(32, 3).stride(2).then(Relu6 {})];
    let mut channels = 32;
    for (expansion, out_channels, repeats, first_stride) in BLOCKS {
        for repeat in 0..repeats {
            let stride = if repeat == 0 { first_stride } else { 1 };
            features.push(block(channels, out_channels, stride, expansion));
            channels = out_channels;
        }
    }
    features.push(ConvNorm::new(1280, 1).then(Relu6 {}));
    let classifier = vec![Dropout { p: config.dropout }.into(), Linear::new(config.num_classes).into()];
    let mut layers = vec![Node::sequence(numbered(features)).named("features")];
    layers.extend(pooled());
    layers.push(Node::sequence(classifier).named("classifier"));
    Ok(NetworkPlan::new("MobileNetV2", config.input_shape, layers)?.initialised(fan_out_and_small_linear))
}

fn block(channels: usize, out_channels: usize, stride: usize, expansion: usize) -> Node {
    let inside = channels * expansion;
    let mut body = Vec::new();
    if expansion != 1 {
        body.push(ConvNorm::new(inside, 1).then(Relu6 {}));
    }
    body.push(ConvNorm::new(inside, 3).stride(stride).groups(inside).then(Relu6 {}));
    body.push(Conv2d::new(out_channels, 1).bias(false).into());
    body.push(BatchNorm2d::default().into());
    let body = vec![Node::sequence(numbered(body)).named("conv")];
    let block = match stride == 1 && channels == out_channels {
        true => Node::residual(body, vec![], vec![], ShortcutWhen::ShapeChanges),
        false => Node::sequence(body),
    };
    block.class("InvertedResidual")
}
