//! ShuffleNetV2: half of the channels go through a block, half pass it, and then they are shuffled.
//!
//! # Source
//!
//! N. Ma, X. Zhang, H.-T. Zheng, J. Sun, "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018;
//! `torchvision.models.shufflenetv2`. First weights are torch's defaults, as torchvision's.

use firebrick_component::ArgumentError;

use super::arguments::network;
use super::parts::{numbered, pooled};
use crate::layer::{BatchNorm2d, ChannelShuffle, Conv2d, Linear, MaxPool2d, Relu};
use crate::network::{Named, NetworkPlan, Node};

/// Channels of the three stages, and how many blocks each has.
const STAGES: [(usize, usize); 3] = [(116, 4), (232, 8), (464, 4)];

network! {
    /// `torchvision.models.shufflenet_v2_x1_0`.
    ShuffleNetV2Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("shufflenetv2_x1-5666bf0f80.pth", 8.791, 69.362),
    ];
    => build;
}

fn build(config: &ShuffleNetV2Config) -> Result<NetworkPlan, ArgumentError> {
    let conv1 = vec![
        Conv2d::new(24, 3).stride(2).padding(1).bias(false).into(),
        BatchNorm2d::default().into(),
        Relu {}.into(),
    ];
    let mut layers =
        vec![Node::sequence(conv1).named("conv1"), MaxPool2d::new(3).stride(2).padding(1).named("maxpool")];
    let mut channels = 24;
    for (stage, (width, depth)) in STAGES.into_iter().enumerate() {
        let first = std::iter::once(smaller(channels, width / 2));
        let blocks = first.chain((1..depth).map(|_| same(width / 2)));
        layers.push(Node::sequence(numbered(blocks)).named(format!("stage{}", stage + 2)));
        channels = width;
    }
    layers.push(Node::sequence(pointwise(1024)).named("conv5"));
    layers.extend(pooled());
    layers.push(Linear::new(config.num_classes).named("fc"));
    NetworkPlan::new("ShuffleNetV2", config.input_shape, layers)
}

/// A block that keeps the image's shape.
fn same(half: usize) -> Node {
    let branches = vec![vec![], vec![branch2(half, 1)]];
    shuffled(Node::split(branches))
}

/// A block that halves the image; both branches see all channels.
fn smaller(channels: usize, half: usize) -> Node {
    let branch1 = [depthwise(channels, 2), pointwise(half)].concat();
    let branches = vec![vec![Node::sequence(branch1).named("branch1")], vec![branch2(half, 2)]];
    shuffled(Node::concat(branches))
}

fn shuffled(halves: Node) -> Node {
    let shuffle = ChannelShuffle { groups: 2 }.functional("channel_shuffle");
    Node::sequence(vec![halves, shuffle]).class("InvertedResidual")
}

fn branch2(half: usize, stride: usize) -> Node {
    Node::sequence([pointwise(half), depthwise(half, stride), pointwise(half)].concat()).named("branch2")
}

fn pointwise(channels: usize) -> Vec<Node> {
    vec![Conv2d::new(channels, 1).bias(false).into(), BatchNorm2d::default().into(), Relu {}.into()]
}

fn depthwise(channels: usize, stride: usize) -> Vec<Node> {
    let conv = Conv2d::new(channels, 3).stride(stride).padding(1).groups(channels).bias(false);
    vec![conv.into(), BatchNorm2d::default().into()]
}
