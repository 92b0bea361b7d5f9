//! ResNet-18 for 32x32 images, as a measure of networks with 3x3 convolutions and BatchNorm.
//!
//! # Source
//! He et al., <https://arxiv.org/abs/1512.03385>; the CIFAR form with a 3x3 stem and no first pool.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use firebrick::models::init::TorchInit;
use firebrick::models::layers::{conv_block, linear};
use firebrick::models::sequential::Conv2dConfig;
use firebrick::models::{BatchNorm2d, BatchNorm2dConfig, ImageClassifier, LayerSummary};
use firebrick_kernels::{Activation, AfterNorm, global_avg_pool2d, used_twice};

#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm2d,
}

impl ConvNorm {
    fn new(torch: &mut TorchInit, channels: [usize; 2], kernel: usize, stride: usize) -> Self {
        let config = Conv2dConfig {
            stride: stride.into(),
            padding: (kernel / 2).into(),
            bias: false,
            ..Conv2dConfig::new(channels[1], kernel)
        };
        let conv = torch.conv2d_of(channels[0], &config);
        let norm = BatchNorm2dConfig::default().init(channels[1], torch.device());
        Self { conv, norm }
    }

    fn forward(&self, x: Tensor<4>, residual: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
        let x = conv_block(&self.conv, Activation::None, None, x);
        self.norm.forward_and(x, AfterNorm { residual, activation })
    }
}

#[derive(Module, Debug)]
struct BasicBlock {
    first: ConvNorm,
    second: ConvNorm,
    /// Where shape changes, a 1x1 convolution brings the input to it.
    shortcut: Option<ConvNorm>,
}

impl BasicBlock {
    fn new(torch: &mut TorchInit, channels: [usize; 2], stride: usize) -> Self {
        let [_, out] = channels;
        let changes = stride != 1 || channels[0] != out;
        Self {
            first: ConvNorm::new(torch, channels, 3, stride),
            second: ConvNorm::new(torch, [out, out], 3, 1),
            shortcut: changes.then(|| ConvNorm::new(torch, channels, 1, stride)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [x, before] = used_twice(x);
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(before, None, Activation::None),
            None => before,
        };
        let x = self.first.forward(x, None, Activation::Relu);
        self.second.forward(x, Some(shortcut), Activation::Relu)
    }
}

/// Stem, eight blocks, one linear layer.
#[derive(Module, Debug)]
pub struct ResNet18 {
    stem: ConvNorm,
    blocks: Vec<BasicBlock>,
    fc: Linear,
}

impl ResNet18 {
    pub fn new(seed: u64, device: &Device) -> Self {
        let mut torch = TorchInit::new(seed, device);
        let stem = ConvNorm::new(&mut torch, [3, 64], 3, 1);
        let mut blocks = Vec::new();
        let mut channels = 64;
        for (width, stride) in [(64, 1), (128, 2), (256, 2), (512, 2)] {
            blocks.push(BasicBlock::new(&mut torch, [channels, width], stride));
            blocks.push(BasicBlock::new(&mut torch, [width, width], 1));
            channels = width;
        }
        Self { stem, blocks, fc: torch.linear(512, 10) }
    }
}

impl ImageClassifier for ResNet18 {
    fn name(&self) -> &'static str {
        "ResNet18"
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let x = self.stem.forward(images_nchw, None, Activation::Relu); // [n, 64, 32, 32]
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [n, 512, 4, 4]
        linear(&self.fc, global_avg_pool2d(x).flatten(1, 3))
    }

    fn input_shape(&self) -> [usize; 3] {
        [3, 32, 32]
    }

    fn num_classes(&self) -> usize {
        10
    }

    fn layers(&self) -> Vec<LayerSummary> {
        Vec::new()
    }
}
