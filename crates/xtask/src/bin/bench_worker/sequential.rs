//! Networks as data: a stack of depthwise separable convolutions, linear layers, and ResNet-18.

use firebrick::models::layer::{AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, Relu};
use firebrick::models::network::ShortcutWhen;
use firebrick::models::{Named, NetworkPlan, Node};

/// A network that cannot be made is a mistake here.
type Failure = Box<dyn std::error::Error>;

const IMAGES: [usize; 3] = [3, 32, 32];

/// MobileNet's beginning for images of 32 by 32.
pub fn mobilenet() -> Result<NetworkPlan, Failure> {
    let mut layers: Vec<Node> = Vec::new();
    let mut add = |out_channels: usize, kernel: usize, stride: usize, groups: usize| {
        layers.extend(conv_norm(out_channels, kernel, stride, groups));
        layers.push(Relu {}.into());
    };
    add(32, 3, 1, 1);
    let mut channels = 32;
    for (width, stride) in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] {
        add(channels, 3, stride, channels);
        add(width, 1, 1, 1);
        channels = width;
    }
    layers.extend(head());
    Ok(NetworkPlan::new("MobileNet", IMAGES, layers)?)
}

/// Linear layers of 2048, 1024 and 10 outputs.
pub fn mlp() -> Result<NetworkPlan, Failure> {
    let layers = vec![
        Flatten {}.into(),
        Linear::new(2048).into(),
        Relu {}.into(),
        Linear::new(1024).into(),
        Relu {}.into(),
        Linear::new(10).into(),
    ];
    Ok(NetworkPlan::new("Mlp", IMAGES, layers)?)
}

/// The network of `resnet.rs`.
pub fn resnet18() -> Result<NetworkPlan, Failure> {
    let mut layers: Vec<Node> = conv_norm(64, 3, 1, 1).into();
    layers.push(Relu {}.into());
    for (stage, (width, stride)) in [(64, 1), (128, 2), (256, 2), (512, 2)].into_iter().enumerate() {
        let blocks = vec![basic(width, stride).named("0"), basic(width, 1).named("1")];
        layers.push(Node::sequence(blocks).named(format!("layer{}", stage + 1)));
    }
    layers.extend(head());
    Ok(NetworkPlan::new("ResNet18", IMAGES, layers)?)
}

fn basic(width: usize, stride: usize) -> Node {
    let mut body: Vec<Node> = conv_norm(width, 3, stride, 1).into();
    body.push(Relu {}.into());
    body.extend(conv_norm(width, 3, 1, 1));
    let shortcut = Node::sequence(conv_norm(width, 1, stride, 1).into()).named("downsample");
    Node::residual(body, vec![shortcut], vec![Relu {}.into()], ShortcutWhen::ShapeChanges)
}

fn conv_norm(out_channels: usize, kernel: usize, stride: usize, groups: usize) -> [Node; 2] {
    let conv =
        Conv2d::new(out_channels, kernel).stride(stride).padding(kernel / 2).groups(groups).bias(false);
    [conv.into(), BatchNorm2d::default().into()]
}

fn head() -> [Node; 3] {
    [AdaptiveAvgPool2d::new(1).into(), Flatten {}.into(), Linear::new(10).into()]
}
