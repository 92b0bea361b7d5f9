//! RegNetY-400MF: a network whose widths and depths follow a line, with gates.
//!
//! # Source
//!
//! I. Radosavovic et al., "Designing Network Design Spaces", 2020; `torchvision.models.regnet`, whose names and first
//! weights these are: convolutions from `N(0, 2 / fan_out)`, the linear layer from `N(0, 0.01^2)` and its bias 0, the
//! gates' biases torch's default.

use firebrick_component::ArgumentError;

use super::arguments::network;
use super::parts::{ConvNorm, fan_out_convolutions, pooled, squeeze_excitation};
use crate::layer::{Init, Linear, ParameterSpec, Relu, Sigmoid};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};
use crate::walk::Role;

/// Channels of the four stages and how many blocks each has: what `depth = 16, w_0 = 48, w_a = 27.89, w_m = 2.09` and
/// groups of 8 channels come to.
const STAGES: [(usize, usize); 4] = [(48, 1), (104, 3), (208, 6), (440, 6)];
/// Channels of one group.
const GROUP_WIDTH: usize = 8;
/// Channels before the first stage.
const STEM: usize = 32;

network! {
    /// `torchvision.models.regnet_y_400mf`.
    RegNetY400MfConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("regnet_y_400mf-c65dace8.pth", 16.806, 74.046),
        PublishedWeights::v2("regnet_y_400mf-e6988f5f.pth", 16.806, 75.804),
    ];
    => build;
}

fn build(config: &RegNetY400MfConfig) -> Result<NetworkPlan, ArgumentError> {
    let mut stages = Vec::new();
    let mut channels = STEM;
    for (index, (width, depth)) in (1..).zip(STAGES) {
        let mut blocks = Vec::new();
        for block in 0..depth {
            let stride = if block == 0 { 2 } else { 1 };
            blocks.push(self::block(channels, width, stride).named(format!("block{index}-{block}")));
            channels = width;
        }
        stages.push(Node::sequence(blocks).named(format!("block{index}")).class("AnyStage"));
    }
    let stem = ConvNorm::new(STEM, 3).stride(2).then(Relu {});
    let mut layers =
        vec![stem.named("stem").class("SimpleStemIN"), Node::sequence(stages).named("trunk_output")];
    layers.extend(pooled());
    layers.push(Linear::new(config.num_classes).named("fc"));
    Ok(NetworkPlan::new("RegNet", config.input_shape, layers)?.initialised(first_values))
}

fn first_values(path: &str, spec: &ParameterSpec) -> Option<Init> {
    match spec.role {
        Role::LinearWeight => Some(Init::Normal { std: 0.01 }),
        Role::Bias if path == "fc" => Some(Init::Constant(0.0)),
        _ => fan_out_convolutions(path, spec),
    }
}

fn block(channels: usize, width: usize, stride: usize) -> Node {
    let squeeze = (channels as f64 * 0.25).round_ties_even() as usize;
    let body = Node::sequence(vec![
        ConvNorm::new(width, 1).then(Relu {}).named("a"),
        ConvNorm::new(width, 3).stride(stride).groups(width / GROUP_WIDTH).then(Relu {}).named("b"),
        squeeze_excitation(width, squeeze, Relu {}, Sigmoid {}).named("se"),
        ConvNorm::new(width, 1).linear().named("c"),
    ]);
    let shortcut = match stride {
        1 => vec![],
        _ => vec![ConvNorm::new(width, 1).stride(stride).linear().named("proj")],
    };
    let body = vec![body.named("f").class("BottleneckTransform")];
    let after = vec![Relu {}.named("activation")];
    Node::residual(body, shortcut, after, ShortcutWhen::ShapeChanges).class("ResBottleneckBlock")
}
