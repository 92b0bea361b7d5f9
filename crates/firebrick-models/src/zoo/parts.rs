//! What several published networks are made of, with torchvision's names.

use crate::layer::{AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Init, ParameterSpec};
use crate::network::{Named, Node};
use crate::walk::Role;

/// `torchvision.ops.Conv2dNormActivation`: a convolution that keeps the image's size but for its stride, a norm, and an
/// activation where there is one, called `0`, `1` and `2`.
pub(super) struct ConvNorm {
    pub(super) out_channels: usize,
    pub(super) kernel_size: usize,
    pub(super) stride: usize,
    pub(super) groups: usize,
    pub(super) norm: BatchNorm2d,
}

impl ConvNorm {
    /// With stride 1, one group and torch's norm.
    pub(super) fn new(out_channels: usize, kernel_size: usize) -> Self {
        Self { out_channels, kernel_size, stride: 1, groups: 1, norm: BatchNorm2d::default() }
    }

    pub(super) fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub(super) fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    pub(super) fn norm(self, norm: &BatchNorm2d) -> Self {
        Self { norm: norm.clone(), ..self }
    }

    /// With this activation behind it.
    pub(super) fn then(self, activation: impl Into<Node>) -> Node {
        self.node(Some(activation.into()))
    }

    /// Without an activation.
    pub(super) fn linear(self) -> Node {
        self.node(None)
    }

    fn node(self, activation: Option<Node>) -> Node {
        let Self { out_channels, kernel_size, stride, groups, norm } = self;
        let padding = (kernel_size - 1) / 2;
        let conv =
            Conv2d::new(out_channels, kernel_size).stride(stride).padding(padding).groups(groups).bias(false);
        let layers = [Node::from(conv), Node::from(norm)].into_iter().chain(activation);
        Node::sequence(layers.collect()).class("Conv2dNormActivation")
    }
}

/// `torchvision.ops.SqueezeExcitation`: every channel times a factor that two small layers make of all channels'
/// averages.
///
/// # Source
///
/// J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", 2018.
pub(super) fn squeeze_excitation(
    channels: usize,
    squeeze_channels: usize,
    activation: impl Into<Node>,
    scale_activation: impl Into<Node>,
) -> Node {
    Node::gate(vec![
        AdaptiveAvgPool2d::new(1).named("avgpool"),
        Conv2d::new(squeeze_channels, 1).named("fc1"),
        activation.into().named("activation"),
        Conv2d::new(channels, 1).named("fc2"),
        scale_activation.into().named("scale_activation"),
    ])
    .class("SqueezeExcitation")
}

/// The average of each channel as features.
pub(super) fn pooled() -> [Node; 2] {
    [AdaptiveAvgPool2d::new(1).named("avgpool"), Flatten {}.functional("flatten")]
}

/// Nodes called `0`, `1` and so on.
pub(super) fn numbered(nodes: impl IntoIterator<Item = Node>) -> Vec<Node> {
    nodes.into_iter().enumerate().map(|(index, node)| node.named(index.to_string())).collect()
}

/// The multiple of `divisor` that is next to `channels`, but not less than nine tenths of it: `_make_divisible` of
/// torchvision.
pub(super) fn make_divisible(channels: usize, divisor: usize) -> usize {
    let nearest = ((channels + divisor / 2) / divisor * divisor).max(divisor);
    if nearest * 10 < channels * 9 { nearest + divisor } else { nearest }
}

/// `kaiming_normal_(mode="fan_out")` for convolutions: how torchvision initialises most networks.
pub(super) fn fan_out_convolutions(_: &str, spec: &ParameterSpec) -> Option<Init> {
    (spec.role == Role::Weight).then(|| Init::kaiming_normal_fan_out(&spec.shape))
}

/// The same, linear layers from `N(0, 0.01^2)`, and every bias 0: torchvision's VGG and MobileNets.
pub(super) fn fan_out_and_small_linear(path: &str, spec: &ParameterSpec) -> Option<Init> {
    match spec.role {
        Role::LinearWeight => Some(Init::Normal { std: 0.01 }),
        Role::Bias => Some(Init::Constant(0.0)),
        _ => fan_out_convolutions(path, spec),
    }
}
