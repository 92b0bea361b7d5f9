//! VGG: 3x3 convolutions one after another, with 11 to 19 layers, with and without batch normalisation.
//!
//! # Source
//!
//! K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014;
//! `torchvision.models.vgg`, whose names and first weights these are: convolutions `kaiming_normal_(mode="fan_out")`,
//! linear layers from `N(0, 0.01^2)`, every bias 0.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use super::parts::fan_out_and_small_linear;
use crate::layer::{AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Relu};
use crate::network::{Named, NetworkPlan, Node};
use crate::shape::MAX_SIZE;

/// Channels of the five stages' convolutions; each stage has as many as the depths say, and a pool behind them.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// The sizes that a network's arguments give.
struct Sizes {
    input_shape: [usize; 3],
    num_classes: usize,
    dropout: f64,
    hidden_features: usize,
}

impl Sizes {
    fn network(&self, depths: [usize; 5], has_norms: bool) -> Result<NetworkPlan, ArgumentError> {
        let mut features: Vec<Node> = Vec::new();
        for (width, depth) in WIDTHS.into_iter().zip(depths) {
            for _ in 0..depth {
                features.push(Conv2d::new(width, 3).padding(1).into());
                if has_norms {
                    features.push(BatchNorm2d::default().into());
                }
                features.push(Relu {}.into());
            }
            features.push(MaxPool2d::new(2).into());
        }
        let dropout = || Dropout { p: self.dropout }.into();
        let classifier = vec![
            Linear::new(self.hidden_features).into(),
            Relu {}.into(),
            dropout(),
            Linear::new(self.hidden_features).into(),
            Relu {}.into(),
            dropout(),
            Linear::new(self.num_classes).into(),
        ];
        let layers = vec![
            Node::sequence(features).named("features"),
            AdaptiveAvgPool2d::new(7).named("avgpool"),
            Flatten {}.functional("flatten"),
            Node::sequence(classifier).named("classifier"),
        ];
        Ok(NetworkPlan::new("VGG", self.input_shape, layers)?.initialised(fan_out_and_small_linear))
    }
}

fn hidden(key: &str, hidden_features: usize) -> Result<(), ArgumentError> {
    check::in_range(key, hidden_features, 1, MAX_SIZE)
}

network! {
    /// `torchvision.models.vgg11`.
    Vgg11Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg11-8a719046.pth", 506.84, 69.02),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([1, 1, 2, 2, 2], false)
    };
}

network! {
    /// `torchvision.models.vgg11_bn`.
    Vgg11BnConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg11_bn-6002323d.pth", 506.881, 70.37),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([1, 1, 2, 2, 2], true)
    };
}

network! {
    /// `torchvision.models.vgg13`.
    Vgg13Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg13-19584684.pth", 507.545, 69.928),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([2, 2, 2, 2, 2], false)
    };
}

network! {
    /// `torchvision.models.vgg13_bn`.
    Vgg13BnConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg13_bn-abd245e5.pth", 507.59, 71.586),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([2, 2, 2, 2, 2], true)
    };
}

network! {
    /// `torchvision.models.vgg16`.
    Vgg16Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg16-397923af.pth", 527.796, 71.592),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([2, 2, 3, 3, 3], false)
    };
}

network! {
    /// `torchvision.models.vgg16_bn`.
    Vgg16BnConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg16_bn-6c64b313.pth", 527.866, 73.36),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([2, 2, 3, 3, 3], true)
    };
}

network! {
    /// `torchvision.models.vgg19`.
    Vgg19Config for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg19-dcbb9e9d.pth", 548.051, 72.376),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([2, 2, 4, 4, 4], false)
    };
}

network! {
    /// `torchvision.models.vgg19_bn`.
    Vgg19BnConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("vgg19_bn-c79401a0.pth", 548.143, 74.218),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => |config| {
        let Self { input_shape, num_classes, dropout, hidden_features } = *config;
        Sizes { input_shape, num_classes, dropout, hidden_features }.network([2, 2, 4, 4, 4], true)
    };
}
