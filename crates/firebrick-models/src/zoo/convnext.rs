//! ConvNeXt, tiny and small: a residual network with the habits of a transformer.
//!
//! # Source
//!
//! Z. Liu et al., "A ConvNet for the 2020s", 2022; `torchvision.models.convnext`, whose names and first weights these are:
//! convolutions and linear layers `trunc_normal_(std=0.02)`, every bias 0. That normal distribution is cut off at 100
//! deviations, so that it is the whole one.
//!
//! torchvision turns the image round its linear layers with `Permute`; here those layers take the channels of each
//! pixel.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::numbered;
use crate::layer::{
    AdaptiveAvgPool2d, Conv2d, DropPath, Flatten, Gelu, Init, LayerNorm, LayerScale, Linear, ParameterSpec,
};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};
use crate::walk::Role;

/// Channels of the four stages.
const WIDTHS: [usize; 4] = [96, 192, 384, 768];

network! {
    /// `torchvision.models.convnext_tiny`.
    ConvNextTinyConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("convnext_tiny-983f1562.pth", 109.119, 82.52).shorter(236),
    ];
    /// Probability with which an image leaves out the deepest block in training; the first block's is 0, and those
    /// between lie on a line. torchvision's `stochastic_depth_prob`.
    drop_path: f64 = 0.1, check::below_one;
    => |config| network([3, 3, 9, 3], config.input_shape, config.num_classes, config.drop_path);
}

network! {
    /// `torchvision.models.convnext_small`.
    ConvNextSmallConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("convnext_small-0c510722.pth", 191.703, 83.616).shorter(230),
    ];
    /// Probability with which an image leaves out the deepest block in training; the first block's is 0, and those
    /// between lie on a line. torchvision's `stochastic_depth_prob`.
    drop_path: f64 = 0.4, check::below_one;
    => |config| network([3, 3, 27, 3], config.input_shape, config.num_classes, config.drop_path);
}

fn network(
    depths: [usize; 4],
    input_shape: [usize; 3],
    num_classes: usize,
    drop_path: f64,
) -> Result<NetworkPlan, ArgumentError> {
    let last_block = depths.iter().sum::<usize>() - 1;
    let stem = vec![Conv2d::new(WIDTHS[0], 4).stride(4).into(), norm()];
    let mut features = vec![Node::sequence(stem).class("Conv2dNormActivation")];
    let mut blocks_before = 0;
    for (stage, (width, depth)) in WIDTHS.into_iter().zip(depths).enumerate() {
        if stage > 0 {
            features.push(Node::sequence(vec![norm(), Conv2d::new(width, 2).stride(2).into()]));
        }
        let blocks = (blocks_before..blocks_before + depth)
            .map(|block| self::block(width, drop_path * block as f64 / last_block as f64));
        features.push(Node::sequence(numbered(blocks)));
        blocks_before += depth;
    }
    let classifier = vec![norm(), Flatten {}.into(), Linear::new(num_classes).into()];
    let layers = vec![
        Node::sequence(numbered(features)).named("features"),
        AdaptiveAvgPool2d::new(1).named("avgpool"),
        Node::sequence(classifier).named("classifier"),
    ];
    Ok(NetworkPlan::new("ConvNeXt", input_shape, layers)?.initialised(first_values))
}

fn first_values(_: &str, spec: &ParameterSpec) -> Option<Init> {
    match spec.role {
        Role::Weight if spec.shape.len() == 4 => Some(Init::Normal { std: 0.02 }),
        Role::LinearWeight => Some(Init::Normal { std: 0.02 }),
        Role::Bias => Some(Init::Constant(0.0)),
        _ => None,
    }
}

fn norm() -> Node {
    LayerNorm { eps: 1e-6, ..LayerNorm::default() }.into()
}

/// Layers 1 and 6 of torchvision's block are its `Permute`s.
fn block(width: usize, drop_path: f64) -> Node {
    let layers = vec![
        Conv2d::new(width, 7).padding(3).groups(width).named("0"),
        norm().named("2"),
        Linear::new(4 * width).per_pixel().named("3"),
        Gelu {}.named("4"),
        Linear::new(width).per_pixel().named("5"),
    ];
    let body = vec![
        Node::sequence(layers).named("block"),
        Node::from(LayerScale::default()).of_block(),
        DropPath::new(drop_path).named("stochastic_depth"),
    ];
    Node::residual(body, vec![], vec![], ShortcutWhen::ShapeChanges).class("CNBlock")
}
