//! Residual networks: for photos with 18 to 101 layers, with grouped or with wide convolutions; for CIFAR's small images
//! with 20, 56 and 110.
//!
//! # Source
//!
//! K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015; S. Xie et al., "Aggregated
//! Residual Transformations for Deep Neural Networks", 2017 (`resnext50_32x4d`); S. Zagoruyko, N. Komodakis, "Wide Residual
//! Networks", 2016 (`wide_resnet50_2`). Names, and the stride in a bottleneck's 3x3 convolution, as
//! `torchvision.models.resnet`. The CIFAR networks are those of the first paper's section 4.2, with a convolution in the
//! shortcuts that change the shape ("option B").
//!
//! First weights: convolutions `kaiming_normal_(mode="fan_out")`, as torchvision's; the rest torch's defaults.

use firebrick_component::{ArgumentError, check};
use serde::{Deserialize, Serialize};

use super::arguments::network;
use super::parts::{fan_out_convolutions, numbered, pooled};
use crate::layer::{BatchNorm2d, Conv2d, Linear, MaxPool2d, Relu};
use crate::network::{Named, NetworkPlan, Node, ShortcutWhen};
use crate::shape::MAX_SIZE;

/// How an image of a residual network for photos is first made smaller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    /// By four: a 7x7 convolution with stride 2 and a 3x3 pool with stride 2.
    #[default]
    Imagenet,
    /// Not at all: a 3x3 convolution, for images of some 32x32 pixels.
    Cifar,
}

/// The residual blocks of a network, from one stage to the next.
struct Blocks {
    kind: Kind,
    /// Blocks of each stage; the width doubles from one to the next.
    depths: &'static [usize],
    /// Channels of the first stage.
    width: usize,
    /// Groups of a bottleneck's 3x3 convolution.
    groups: usize,
    /// Channels of each of them in a stage of width 64.
    width_per_group: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3, 1x1, and four times as many channels behind it.
    Bottleneck,
}

fn check_width(key: &str, width: usize) -> Result<(), ArgumentError> {
    check::in_range(key, width, 1, MAX_SIZE >> 3)
}

const fn basic(depths: &'static [usize], width: usize) -> Blocks {
    Blocks { kind: Kind::Basic, depths, width, groups: 1, width_per_group: 64 }
}

const fn bottleneck(depths: &'static [usize], groups: usize, width_per_group: usize) -> Blocks {
    Blocks { kind: Kind::Bottleneck, depths, width: 64, groups, width_per_group }
}

impl Blocks {
    fn network(
        &self,
        input_shape: [usize; 3],
        stem: Stem,
        num_classes: usize,
    ) -> Result<NetworkPlan, ArgumentError> {
        let mut layers = match stem {
            Stem::Imagenet => vec![
                Conv2d::new(self.width, 7).stride(2).padding(3).bias(false).named("conv1"),
                BatchNorm2d::default().named("bn1"),
                Relu {}.named("relu"),
                MaxPool2d::new(3).stride(2).padding(1).named("maxpool"),
            ],
            Stem::Cifar => vec![
                Conv2d::new(self.width, 3).padding(1).bias(false).named("conv1"),
                BatchNorm2d::default().named("bn1"),
                Relu {}.named("relu"),
            ],
        };
        for (stage, depth) in self.depths.iter().enumerate() {
            let blocks = (0..*depth).map(|block| self.block(stage, block));
            layers.push(Node::sequence(numbered(blocks)).named(format!("layer{}", stage + 1)));
        }
        layers.extend(pooled());
        layers.push(Linear::new(num_classes).named("fc"));
        Ok(NetworkPlan::new("ResNet", input_shape, layers)?.initialised(fan_out_convolutions))
    }

    fn block(&self, stage: usize, block: usize) -> Node {
        let stride = if stage > 0 && block == 0 { 2 } else { 1 };
        let planes = self.width << stage;
        let conv = |out_channels: usize, kernel_size: usize| {
            Conv2d::new(out_channels, kernel_size).padding(kernel_size / 2).bias(false)
        };
        let norm = |name: &str| BatchNorm2d::default().named(name);
        let (body, out_channels) = match self.kind {
            Kind::Basic => {
                let body = vec![
                    conv(planes, 3).stride(stride).named("conv1"),
                    norm("bn1"),
                    Relu {}.named("relu"),
                    conv(planes, 3).named("conv2"),
                    norm("bn2"),
                ];
                (body, planes)
            }
            Kind::Bottleneck => {
                let width = planes * self.width_per_group / 64 * self.groups;
                let body = vec![
                    conv(width, 1).named("conv1"),
                    norm("bn1"),
                    Relu {}.named("relu"),
                    conv(width, 3).stride(stride).groups(self.groups).named("conv2"),
                    norm("bn2"),
                    Relu {}.functional("relu2"),
                    conv(planes * 4, 1).named("conv3"),
                    norm("bn3"),
                ];
                (body, planes * 4)
            }
        };
        let downsample = vec![conv(out_channels, 1).stride(stride).into(), BatchNorm2d::default().into()];
        let shortcut = match block {
            0 => vec![Node::sequence(downsample).named("downsample")],
            _ => vec![],
        };
        let after = vec![Relu {}.functional("relu_after")];
        let class = if self.kind == Kind::Basic { "BasicBlock" } else { "Bottleneck" };
        Node::residual(body, shortcut, after, ShortcutWhen::ShapeChanges).class(class)
    }
}

network! {
    /// `torchvision.models.resnet18`.
    ResNet18Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("resnet18-f37072fd.pth", 44.661, 69.758),
    ];
    /// How the image is first made smaller; torchvision has `imagenet` alone.
    stem: Stem = Stem::Imagenet;
    /// Channels of the first stage, doubled from one to the next; torchvision has 64 alone.
    width: usize = 64, check_width;
    => |config| {
        basic(&[2, 2, 2, 2], config.width).network(config.input_shape, config.stem, config.num_classes)
    };
}

network! {
    /// `torchvision.models.resnet34`.
    ResNet34Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("resnet34-b627a593.pth", 83.275, 73.314),
    ];
    /// How the image is first made smaller; torchvision has `imagenet` alone.
    stem: Stem = Stem::Imagenet;
    => |config| basic(&[3, 4, 6, 3], 64).network(config.input_shape, config.stem, config.num_classes);
}

network! {
    /// `torchvision.models.resnet50`.
    ResNet50Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("resnet50-0676ba61.pth", 97.781, 76.13),
        PublishedWeights::v2("resnet50-11ad3fa6.pth", 97.79, 80.858),
    ];
    /// How the image is first made smaller; torchvision has `imagenet` alone.
    stem: Stem = Stem::Imagenet;
    => |config| {
        bottleneck(&[3, 4, 6, 3], 1, 64).network(config.input_shape, config.stem, config.num_classes)
    };
}

network! {
    /// `torchvision.models.resnet101`.
    ResNet101Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("resnet101-63fe2227.pth", 170.511, 77.374),
        PublishedWeights::v2("resnet101-cd907fc2.pth", 170.53, 81.886),
    ];
    /// How the image is first made smaller; torchvision has `imagenet` alone.
    stem: Stem = Stem::Imagenet;
    => |config| {
        bottleneck(&[3, 4, 23, 3], 1, 64).network(config.input_shape, config.stem, config.num_classes)
    };
}

network! {
    /// `torchvision.models.resnext50_32x4d`.
    ResNeXt50Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("resnext50_32x4d-7cdf4587.pth", 95.789, 77.618),
        PublishedWeights::v2("resnext50_32x4d-1a0047aa.pth", 95.833, 81.198),
    ];
    /// How the image is first made smaller; torchvision has `imagenet` alone.
    stem: Stem = Stem::Imagenet;
    => |config| {
        bottleneck(&[3, 4, 6, 3], 32, 4).network(config.input_shape, config.stem, config.num_classes)
    };
}

network! {
    /// `torchvision.models.wide_resnet50_2`.
    WideResNet50Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("wide_resnet50_2-95faca4d.pth", 131.82, 78.468),
        PublishedWeights::v2("wide_resnet50_2-9ba9bcbe.pth", 263.124, 81.602),
    ];
    /// How the image is first made smaller; torchvision has `imagenet` alone.
    stem: Stem = Stem::Imagenet;
    => |config| {
        bottleneck(&[3, 4, 6, 3], 1, 128).network(config.input_shape, config.stem, config.num_classes)
    };
}

network! {
    /// ResNet-20 for CIFAR, 0.27 million parameters.
    ResNet20Config for [3, 32, 32], 10;
    => |config| basic(&[3; 3], 16).network(config.input_shape, Stem::Cifar, config.num_classes);
}

network! {
    /// ResNet-56 for CIFAR, 0.86 million parameters.
    ResNet56Config for [3, 32, 32], 10;
    => |config| basic(&[9; 3], 16).network(config.input_shape, Stem::Cifar, config.num_classes);
}

network! {
    /// ResNet-110 for CIFAR, 1.7 million parameters.
    ResNet110Config for [3, 32, 32], 10;
    => |config| basic(&[18; 3], 16).network(config.input_shape, Stem::Cifar, config.num_classes);
}
