//! AlexNet, as its author wrote it for one GPU.
//!
//! # Source
//!
//! A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014; `torchvision.models.alexnet`.
//! First weights are torch's defaults, as torchvision's.

use firebrick_component::{ArgumentError, check};

use super::arguments::network;
use crate::layer::{AdaptiveAvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Relu};
use crate::network::{Named, NetworkPlan, Node};
use crate::shape::MAX_SIZE;

fn hidden(key: &str, hidden_features: usize) -> Result<(), ArgumentError> {
    check::in_range(key, hidden_features, 1, MAX_SIZE)
}

network! {
    /// `torchvision.models.alexnet`.
    AlexNetConfig for [3, 224, 224], 1000, published &[
        PublishedWeights::v1("alexnet-owt-7be5be79.pth", 233.087, 56.522),
    ];
    /// Probability of the two dropout layers.
    dropout: f64 = 0.5, check::below_one;
    /// Length of the two hidden linear layers, which hold most of the parameters; torchvision has 4096.
    hidden_features: usize = 4096, hidden;
    => build;
}

fn build(config: &AlexNetConfig) -> Result<NetworkPlan, ArgumentError> {
    let dropout = || Dropout { p: config.dropout }.into();
    let features = vec![
        Conv2d::new(64, 11).stride(4).padding(2).into(),
        Relu {}.into(),
        MaxPool2d::new(3).stride(2).into(),
        Conv2d::new(192, 5).padding(2).into(),
        Relu {}.into(),
        MaxPool2d::new(3).stride(2).into(),
        Conv2d::new(384, 3).padding(1).into(),
        Relu {}.into(),
        Conv2d::new(256, 3).padding(1).into(),
        Relu {}.into(),
        Conv2d::new(256, 3).padding(1).into(),
        Relu {}.into(),
        MaxPool2d::new(3).stride(2).into(),
    ];
    let classifier = vec![
        dropout(),
        Linear::new(config.hidden_features).into(),
        Relu {}.into(),
        dropout(),
        Linear::new(config.hidden_features).into(),
        Relu {}.into(),
        Linear::new(config.num_classes).into(),
    ];
    let layers = vec![
        Node::sequence(features).named("features"),
        AdaptiveAvgPool2d::new(6).named("avgpool"),
        Flatten {}.functional("flatten"),
        Node::sequence(classifier).named("classifier"),
    ];
    NetworkPlan::new("AlexNet", config.input_shape, layers)
}
