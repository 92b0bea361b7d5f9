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

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::init::{TorchInit, max_pool2d};
use crate::layers::{conv_relu_pool, linear, linear_relu};
use crate::summary::LayerList;
use crate::{ImageClassifier, LayerSummary};

/// Arguments of [`LeNet`].
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

/// Two convolutions with ReLU and pool, then three linear layers.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct LeNet {
    conv1: Conv2d,
    pool1: MaxPool2d,
    conv2: Conv2d,
    pool2: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl LeNetConfig {
    /// `[channels, height, width]` of the images that a [`LeNet`] takes.
    pub const INPUT_SHAPE: [usize; 3] = [1, 32, 32];

    /// A network with torch's default initialisation, the same for the same `seed` on every device.
    pub fn init(&self, seed: u64, device: &Device) -> LeNet {
        let mut torch = TorchInit::new(seed, device);
        LeNet {
            conv1: torch.conv2d(1, 6, 5, 0), // nn.Conv2d(1, 6, 5)
            pool1: max_pool2d(2),
            conv2: torch.conv2d(6, 16, 5, 0),
            pool2: max_pool2d(2),
            fc1: torch.linear(16 * 5 * 5, 120),
            fc2: torch.linear(120, 84),
            fc3: torch.linear(84, self.num_classes),
        }
    }
}

impl ImageClassifier for LeNet {
    fn name(&self) -> &'static str {
        "LeNet"
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let x = images_nchw; //                                 [n,  1, 32, 32]
        let x = conv_relu_pool(&self.conv1, &self.pool1, x); // [n,  6, 28, 28] -> [n,  6, 14, 14]
        let x = conv_relu_pool(&self.conv2, &self.pool2, x); // [n, 16, 10, 10] -> [n, 16,  5,  5]
        let x = x.flatten(1, 3); //                             [n, 16,  5,  5] -> [n, 400]
        let x = linear_relu(&self.fc1, x); //                   [n, 400] -> [n, 120]
        let x = linear_relu(&self.fc2, x); //                   [n, 120] -> [n, 84]
        linear(&self.fc3, x) //                                 [n, 84] -> [n, num_classes]
    }

    fn input_shape(&self) -> [usize; 3] {
        LeNetConfig::INPUT_SHAPE
    }

    fn num_classes(&self) -> usize {
        crate::summary::out_features(&self.fc3)
    }

    fn layers(&self) -> Vec<LayerSummary> {
        LayerList::new(self.input_shape())
            .conv2d("conv1", &self.conv1)
            .functional_relu("relu1")
            .max_pool2d("pool1", &self.pool1)
            .conv2d("conv2", &self.conv2)
            .functional_relu("relu2")
            .max_pool2d("pool2", &self.pool2)
            .functional_flatten("flatten")
            .linear("fc1", &self.fc1)
            .functional_relu("relu3")
            .linear("fc2", &self.fc2)
            .functional_relu("relu4")
            .linear("fc3", &self.fc3)
            .finish()
    }
}

crate::display::as_torch_prints!(LeNet);
