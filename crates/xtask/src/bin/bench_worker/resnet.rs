//! ResNet-18 and ResNet-20 for 32x32 images, written by hand: a measure of networks with 3x3 convolutions and
//! batch normalisation, and of what a network from a config costs beside one in Rust.
//!
//! # Source
//! He et al., <https://arxiv.org/abs/1512.03385>; ResNet-18 in the form for CIFAR, with a 3x3 stem and no first pool,
//! ResNet-20 as in section 4.2, with 1x1 convolutions as shortcuts where sizes change.

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

/// Stem, blocks, one linear layer.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<BasicBlock>,
    fc: Linear,
}

impl ResNet {
    /// Four stages of two blocks.
    pub fn resnet18(seed: u64, device: &Device) -> Self {
        Self::new(seed, device, &[64, 128, 256, 512], 2)
    }

    /// Three stages of three blocks.
    pub fn resnet20(seed: u64, device: &Device) -> Self {
        Self::new(seed, device, &[16, 32, 64], 3)
    }

    /// A stage for each width; the first block of each but the first halves the size.
    fn new(seed: u64, device: &Device, widths: &[usize], blocks_per_stage: usize) -> Self {
        let mut torch = TorchInit::new(seed, device);
        let mut channels = widths[0];
        let stem = ConvNorm::new(&mut torch, [3, channels], 3, 1);
        let mut blocks = Vec::new();
        for (stage, &width) in widths.iter().enumerate() {
            for block in 0..blocks_per_stage {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                blocks.push(BasicBlock::new(&mut torch, [channels, width], stride));
                channels = width;
            }
        }
        Self { stem, blocks, fc: torch.linear(channels, 10) }
    }
}

impl ImageClassifier for ResNet {
    fn name(&self) -> &'static str {
        "ResNet"
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let x = self.stem.forward(images_nchw, None, Activation::Relu); // [n, width, 32, 32]
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [n, last width, height, width]
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
