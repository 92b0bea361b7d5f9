//! LeNet-5 for 32x32 grey images, as PyTorch's tutorial writes it.
//!
//! # Source
//!
//! Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
//! recognition", Proceedings of the IEEE 86(11), 1998, figure 2; in the form of PyTorch's tutorial
//! "Neural Networks", which replaces the sigmoids by ReLU, the trainable sub-sampling by max pooling
//! and the radial-basis output by a linear layer:
//!
//! ```python
//! class LeNet(nn.Module):
//!     def __init__(self):
//!         super().__init__()
//!         self.conv1 = nn.Conv2d(1, 6, 5)
//!         self.pool1 = nn.MaxPool2d(2)
//!         self.conv2 = nn.Conv2d(6, 16, 5)
//!         self.pool2 = nn.MaxPool2d(2)
//!         self.fc1 = nn.Linear(16 * 5 * 5, 120)
//!         self.fc2 = nn.Linear(120, 84)
//!         self.fc3 = nn.Linear(84, 10)
//!
//!     def forward(self, x):
//!         x = self.pool1(F.relu(self.conv1(x)))
//!         x = self.pool2(F.relu(self.conv2(x)))
//!         x = torch.flatten(x, 1)
//!         x = F.relu(self.fc1(x))
//!         x = F.relu(self.fc2(x))
//!         return self.fc3(x)
//! ```

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use crate::layer::{Conv2d, Flatten, Linear, MaxPool2d, Relu};
use crate::network::{Named, NetworkConfig, NetworkPlan};
use crate::shape::MAX_CLASSES;

/// Two convolutions with ReLU and pool, then three linear layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeNetConfig {
    /// Classes to tell apart; 10 for MNIST.
    pub num_classes: usize,
}

impl Default for LeNetConfig {
    fn default() -> Self {
        Self { num_classes: 10 }
    }
}

impl LeNetConfig {
    /// `[channels, height, width]` of the images that it takes.
    pub const INPUT_SHAPE: [usize; 3] = [1, 32, 32];
}

impl Component for LeNetConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("num_classes", self.num_classes, 1, MAX_CLASSES)
    }
}

impl NetworkConfig for LeNetConfig {
    fn input_shape(&self) -> [usize; 3] {
        Self::INPUT_SHAPE
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn set_num_classes(&mut self, num_classes: usize) {
        self.num_classes = num_classes;
    }

    fn build(&self) -> Result<NetworkPlan, ArgumentError> {
        self.validate()?;
        #[rustfmt::skip]
        let layers = vec![ //                               [n,  1, 32, 32]
            Conv2d::new(6, 5).named("conv1"),            // [n,  6, 28, 28]
            Relu {}.functional("relu1"),
            MaxPool2d::new(2).named("pool1"),            // [n,  6, 14, 14]
            Conv2d::new(16, 5).named("conv2"),           // [n, 16, 10, 10]
            Relu {}.functional("relu2"),
            MaxPool2d::new(2).named("pool2"),            // [n, 16,  5,  5]
            Flatten {}.functional("flatten"),            // [n, 400]
            Linear::new(120).named("fc1"),               // [n, 120]
            Relu {}.functional("relu3"),
            Linear::new(84).named("fc2"),                // [n, 84]
            Relu {}.functional("relu4"),
            Linear::new(self.num_classes).named("fc3"),  // [n, num_classes]
        ];
        NetworkPlan::new("LeNet", Self::INPUT_SHAPE, layers)
    }
}
