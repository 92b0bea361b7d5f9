//! EfficientNet-B0: MobileNetV2's blocks with gates and SiLU, found by a search.
//!
//! # Source
//!
//! M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, table 1;
//! `torchvision.models.efficientnet`, whose names and first weights these are: convolutions
//! `kaiming_normal_(mode="fan_out")`, the linear layer from `U(-b, b)` with `b = 1 / sqrt(num_classes)`, every bias 0.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::{ConvNorm, fan_out_convolutions, numbered, pooled, squeeze_excitation};
use crate::layer::{DropPath, Dropout, Init, Linear, ParameterSpec, Sigmoid, Silu};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};
use crate::walk::Role;

/// A stage: how much wider its blocks are inside, their kernel, the first one's stride, their channels, how many there
/// are.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

network! {
    /// `torchvision.models.efficientnet_b0`.
    EfficientNetB0Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("efficientnet_b0_rwightman-7f5810bc.pth", 20.451, 77.692).bicubic(),
    ];
    /// Probability of the dropout before the last layer.
    dropout: f64 = 0.2, check::below_one;
    /// Probability with which an image leaves out the deepest block in training; the first block's is 0, and those
    /// between lie on a line. torchvision's `stochastic_depth_prob`.
    drop_path: f64 = 0.2, check::below_one;
    => build;
}

fn build(config: &EfficientNetB0Config) -> Result<NetworkPlan, ArgumentError> {
    let num_blocks: usize = STAGES.iter().map(|(.., repeats)| repeats).sum();
    let mut features = vec![ConvNorm::new(32, 3).stride(2).then(Silu {})];
    let (mut channels, mut blocks_before) = (32, 0);
    for (expansion, kernel_size, first_stride, out_channels, repeats) in STAGES {
        let mut stage = Vec::new();
        for repeat in 0..repeats {
            let drop_path = config.drop_path * blocks_before as f64 / num_blocks as f64;
            let stride = if repeat == 0 { first_stride } else { 1 };
            stage.push(block(channels, out_channels, kernel_size, stride, expansion, drop_path));
            channels = out_channels;
            blocks_before += 1;
        }
        features.push(Node::sequence(numbered(stage)));
    }
    features.push(ConvNorm::new(1280, 1).then(Silu {}));
    let classifier = vec![Dropout { p: config.dropout }.into(), Linear::new(config.num_classes).into()];
    let mut layers = vec![Node::sequence(numbered(features)).named("features")];
    layers.extend(pooled());
    layers.push(Node::sequence(classifier).named("classifier"));
    Ok(NetworkPlan::new("EfficientNet", config.input_shape, layers)?.initialised(first_values))
}

fn first_values(path: &str, spec: &ParameterSpec) -> Option<Init> {
    match spec.role {
        Role::LinearWeight => Some(Init::Uniform { bound: 1.0 / (spec.shape[0] as f64).sqrt() }),
        Role::Bias => Some(Init::Constant(0.0)),
        _ => fan_out_convolutions(path, spec),
    }
}

fn block(
    channels: usize,
    out_channels: usize,
    kernel_size: usize,
    stride: usize,
    expansion: usize,
    drop_path: f64,
) -> Node {
    let inside = channels * expansion;
    let mut body = Vec::new();
    if expansion != 1 {
        body.push(ConvNorm::new(inside, 1).then(Silu {}));
    }
    body.push(ConvNorm::new(inside, kernel_size).stride(stride).groups(inside).then(Silu {}));
    body.push(squeeze_excitation(inside, (channels / 4).max(1), Silu {}, Sigmoid {}));
    body.push(ConvNorm::new(out_channels, 1).linear());
    let mut body = vec![Node::sequence(numbered(body)).named("block")];
    let block = match stride == 1 && channels == out_channels {
        true => {
            body.push(DropPath::new(drop_path).named("stochastic_depth"));
            Node::residual(body, vec![], vec![], ShortcutWhen::ShapeChanges)
        }
        false => Node::sequence(body),
    };
    block.class("MBConv")
}
