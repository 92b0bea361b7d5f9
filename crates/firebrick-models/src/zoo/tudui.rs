//! Tudui, the small CIFAR-10 network of the PyTorch beginners' course that many learn CNNs from.
//!
//! # Source
//!
//! "PyTorch deep learning quick start" by Tudui, lesson `nn.Sequential`; the layer sizes are those
//! of the "CIFAR-10 quick" model drawn there:
//!
//! ```python
//! class Tudui(nn.Module):
//!     def __init__(self):
//!         super().__init__()
//!         self.model1 = Sequential(
//!             Conv2d(3, 32, 5, padding=2),   # 0
//!             MaxPool2d(2),                  # 1
//!             Conv2d(32, 32, 5, padding=2),  # 2
//!             MaxPool2d(2),                  # 3
//!             Conv2d(32, 64, 5, padding=2),  # 4
//!             MaxPool2d(2),                  # 5
//!             Flatten(),                     # 6
//!             Linear(1024, 64),              # 7
//!             Linear(64, 10),                # 8
//!         )
//!
//!     def forward(self, x):
//!         return self.model1(x)
//! ```
//!
//! There are no activations between the layers; the course has none, so neither have we.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use crate::layer::{Conv2d, Flatten, Linear, MaxPool2d};
use crate::network::{Named, NetworkConfig, NetworkPlan};
use crate::shape::MAX_CLASSES;

/// Three convolutions, each followed by a pool, then two linear layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuduiConfig {
    /// Classes to tell apart; 10 for CIFAR-10.
    pub num_classes: usize,
}

impl Default for TuduiConfig {
    fn default() -> Self {
        Self { num_classes: 10 }
    }
}

impl TuduiConfig {
    /// `[channels, height, width]` of the images that it takes.
    pub const INPUT_SHAPE: [usize; 3] = [3, 32, 32];
}

impl Component for TuduiConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("num_classes", self.num_classes, 1, MAX_CLASSES)
    }
}

impl NetworkConfig for TuduiConfig {
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
        let layers = vec![ //                                    [n,  3, 32, 32]
            Conv2d::new(32, 5).padding(2).named("conv1"),     // [n, 32, 32, 32]
            MaxPool2d::new(2).named("pool1"),                 // [n, 32, 16, 16]
            Conv2d::new(32, 5).padding(2).named("conv2"),     // [n, 32, 16, 16]
            MaxPool2d::new(2).named("pool2"),                 // [n, 32,  8,  8]
            Conv2d::new(64, 5).padding(2).named("conv3"),     // [n, 64,  8,  8]
            MaxPool2d::new(2).named("pool3"),                 // [n, 64,  4,  4]
            Flatten {}.named("flatten"),                      // [n, 1024]
            Linear::new(64).named("fc1"),                     // [n, 64]
            Linear::new(self.num_classes).named("fc2"),       // [n, num_classes]
        ];
        NetworkPlan::new("Tudui", Self::INPUT_SHAPE, layers).map(|plan| plan.held_in("model1"))
    }
}
