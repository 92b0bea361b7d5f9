//! ResNet-18 and ResNet-20 for 32x32 images, written by hand: a measure of networks with 3x3 convolutions and
//! batch normalisation, and of what a network from a config costs beside one in Rust.
//!
//! # Source
//! He et al., <https://arxiv.org/abs/1512.03385>; ResNet-18 in the form for CIFAR, with a 3x3 stem and no first pool,
//! ResNet-20 as in section 4.2, with 1x1 convolutions as shortcuts where sizes change.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use firebrick::models::init::TorchInit;
use firebrick::models::layer::{BatchNorm2d, Conv2d, Epilogue, LayerModule, Linear};
use firebrick::models::{ImageClassifier, Shape};
use firebrick_kernels::{Activation, global_avg_pool2d, used_twice};

use crate::failure::Failure;

#[derive(Module, Debug)]
struct ConvNorm {
    conv: LayerModule,
    norm: LayerModule,
}

impl ConvNorm {
    fn new(
        torch: &mut TorchInit,
        input: Shape,
        channels: usize,
        kernel: usize,
        stride: usize,
    ) -> Result<Self, Failure> {
        let conv = Conv2d::new(channels, kernel).stride(stride).padding(kernel / 2).bias(false);
        let conv = torch.layer(conv, input)?;
        let norm = torch.layer(BatchNorm2d::default(), conv.placed().output)?;
        Ok(Self { conv, norm })
    }

    fn output(&self) -> Shape {
        self.norm.placed().output
    }

    fn forward(&self, x: Tensor<4>, residual: Option<Tensor<4>>, activation: Activation) -> Tensor<4> {
        let epilogue = Epilogue { residual: residual.is_some(), activation, ..Epilogue::default() };
        let x = self.conv.forward(x);
        self.norm.forward_fused(x, epilogue, residual.map(Into::into)).images()
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
    fn new(torch: &mut TorchInit, input: Shape, channels: usize, stride: usize) -> Result<Self, Failure> {
        let first = ConvNorm::new(torch, input, channels, 3, stride)?;
        let second = ConvNorm::new(torch, first.output(), channels, 3, 1)?;
        let shortcut = match second.output() == input {
            true => None,
            false => Some(ConvNorm::new(torch, input, channels, 1, stride)?),
        };
        Ok(Self { first, second, shortcut })
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
    fc: LayerModule,
}

impl ResNet {
    /// Four stages of two blocks.
    pub fn resnet18(seed: u64, device: &Device) -> Result<Self, Failure> {
        Self::new(seed, device, &[64, 128, 256, 512], 2)
    }

    /// Three stages of three blocks.
    pub fn resnet20(seed: u64, device: &Device) -> Result<Self, Failure> {
        Self::new(seed, device, &[16, 32, 64], 3)
    }

    /// A stage for each width; the first block of each but the first halves the size.
    fn new(seed: u64, device: &Device, widths: &[usize], blocks_per_stage: usize) -> Result<Self, Failure> {
        let mut torch = TorchInit::new(seed, device);
        let stem = ConvNorm::new(&mut torch, Shape::Image([3, 32, 32]), widths[0], 3, 1)?;
        let (mut blocks, mut shape) = (Vec::new(), stem.output());
        for (stage, &width) in widths.iter().enumerate() {
            for block in 0..blocks_per_stage {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let block = BasicBlock::new(&mut torch, shape, width, stride)?;
                shape = block.second.output();
                blocks.push(block);
            }
        }
        let fc = torch.layer(Linear::new(10), Shape::Features(shape.channels()))?;
        Ok(Self { stem, blocks, fc })
    }
}

impl ImageClassifier for ResNet {
    fn name(&self) -> String {
        "ResNet".to_owned()
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let x = self.stem.forward(images_nchw, None, Activation::Relu); // [n, width, 32, 32]
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [n, last width, height, width]
        self.fc.forward(global_avg_pool2d(x).flatten::<2>(1, 3)).features()
    }

    fn input_shape(&self) -> [usize; 3] {
        [3, 32, 32]
    }

    fn num_classes(&self) -> usize {
        10
    }
}
