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

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::init::{TorchInit, max_pool2d};
use crate::layers::{conv_pool, linear};
use crate::summary::LayerList;
use crate::{ImageClassifier, LayerSummary};

/// Arguments of [`Tudui`].
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

/// Three convolutions, each followed by a pool, then two linear layers.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Tudui {
    conv1: Conv2d,
    pool1: MaxPool2d,
    conv2: Conv2d,
    pool2: MaxPool2d,
    conv3: Conv2d,
    pool3: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
}

impl TuduiConfig {
    /// `[channels, height, width]` of the images that a [`Tudui`] takes.
    pub const INPUT_SHAPE: [usize; 3] = [3, 32, 32];

    /// A network with torch's default initialisation, the same for the same `seed` on every device.
    pub fn init(&self, seed: u64, device: &Device) -> Tudui {
        let mut torch = TorchInit::new(seed, device);
        Tudui {
            conv1: torch.conv2d(3, 32, 5, 2), // nn.Conv2d(3, 32, 5, padding=2)
            pool1: max_pool2d(2),
            conv2: torch.conv2d(32, 32, 5, 2),
            pool2: max_pool2d(2),
            conv3: torch.conv2d(32, 64, 5, 2),
            pool3: max_pool2d(2),
            fc1: torch.linear(1024, 64),
            fc2: torch.linear(64, self.num_classes),
        }
    }
}

impl ImageClassifier for Tudui {
    fn name(&self) -> &'static str {
        "Tudui"
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let x = images_nchw; //                            [n,  3, 32, 32]
        let x = conv_pool(&self.conv1, &self.pool1, x); // [n, 32, 32, 32] -> [n, 32, 16, 16]
        let x = conv_pool(&self.conv2, &self.pool2, x); // [n, 32, 16, 16] -> [n, 32,  8,  8]
        let x = conv_pool(&self.conv3, &self.pool3, x); // [n, 64,  8,  8] -> [n, 64,  4,  4]
        let x = x.flatten(1, 3); //                        [n, 64,  4,  4] -> [n, 1024]
        let x = linear(&self.fc1, x); //                   [n, 1024] -> [n, 64]
        linear(&self.fc2, x) //                            [n, 64] -> [n, num_classes]
    }

    fn input_shape(&self) -> [usize; 3] {
        TuduiConfig::INPUT_SHAPE
    }

    fn num_classes(&self) -> usize {
        crate::summary::out_features(&self.fc2)
    }

    fn layers(&self) -> Vec<LayerSummary> {
        LayerList::new(self.input_shape())
            .conv2d("conv1", &self.conv1)
            .max_pool2d("pool1", &self.pool1)
            .conv2d("conv2", &self.conv2)
            .max_pool2d("pool2", &self.pool2)
            .conv2d("conv3", &self.conv3)
            .max_pool2d("pool3", &self.pool3)
            .flatten("flatten")
            .linear("fc1", &self.fc1)
            .linear("fc2", &self.fc2)
            .finish()
    }
}

crate::display::as_torch_prints!(Tudui);
