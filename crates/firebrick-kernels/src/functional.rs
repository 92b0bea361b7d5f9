//! The layers' functions on Burn's tensors: they choose between the kernels and Burn's own operations.

use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d as burn_conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Tensor};

use crate::cpu::{Activation, ConvShape};

/// How a convolution walks over its input. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dOptions {
    /// Steps between outputs, in input pixels.
    pub stride: [usize; 2],
    /// Zeros added on both sides.
    pub padding: [usize; 2],
    /// Distance between kernel taps, in input pixels.
    pub dilation: [usize; 2],
    /// Independent groups of channels.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// What follows a convolution and its activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pool {
    /// Nothing.
    #[default]
    None,
    /// Max pooling over windows of 2 by 2 with stride 2.
    Max2x2,
}

/// Two-dimensional convolution.
///
/// # Shapes
/// `input_nchw` `[n, in, h, w]`, `weight_oihw` `[out, in / groups, kernel_h, kernel_w]`, `bias` `[out]`; the result
/// `[n, out, h', w']`.
///
/// # Source
/// `torch.nn.functional.conv2d`.
pub fn conv2d(
    input_nchw: Tensor<4>,
    weight_oihw: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
) -> Tensor<4> {
    conv2d_block(input_nchw, weight_oihw, bias, options, Activation::None, Pool::None)
}

/// Convolution, activation and pooling as one operation, which saves passes over memory.
///
/// # Shapes
/// As [`conv2d`]; pooling halves the result's height and width, rounded down.
///
/// # Source
/// `max_pool2d(relu(conv2d(input)), 2)` in torch.
pub fn conv2d_block(
    input_nchw: Tensor<4>,
    weight_oihw: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
    activation: Activation,
    pool: Pool,
) -> Tensor<4> {
    let block = Block { options, activation, pool };
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if block.suits(&input_nchw, &weight_oihw, bias.as_ref()) {
        return crate::backend::run(input_nchw, weight_oihw, bias, block);
    }
    block.with_burn(input_nchw, weight_oihw, bias)
}

/// Everything about a convolution block but its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) options: Conv2dOptions,
    pub(crate) activation: Activation,
    pub(crate) pool: Pool,
}

impl Block {
    /// The geometry for tensors of these dimensions.
    pub(crate) fn shape(&self, input_nchw: [usize; 4], weight_oihw: [usize; 4]) -> ConvShape {
        let [batch, in_channels, height, width] = input_nchw;
        let [out_channels, _, kernel_height, kernel_width] = weight_oihw;
        ConvShape {
            batch,
            in_channels,
            out_channels,
            input: [height, width],
            kernel: [kernel_height, kernel_width],
            stride: self.options.stride,
            padding: self.options.padding,
            dilation: self.options.dilation,
            groups: self.options.groups,
        }
    }

    /// Whether the kernels compute this block for these tensors; if not, Burn does, or says what is wrong with them.
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    fn suits(&self, input: &Tensor<4>, weight: &Tensor<4>, bias: Option<&Tensor<1>>) -> bool {
        let floats = [Some(input.dtype()), Some(weight.dtype()), bias.map(Tensor::dtype)];
        let shape = self.shape(input.dims(), weight.dims());
        let pools = match self.pool {
            Pool::None => true,
            Pool::Max2x2 => shape.validate().is_ok() && shape.output().iter().all(|size| *size >= 2),
        };
        floats.into_iter().flatten().all(|dtype| dtype == DType::F32)
            && shape.validate().is_ok()
            && weight.dims()[1] == shape.group_in()
            && bias.is_none_or(|bias| bias.dims() == [shape.out_channels])
            && pools
            && crate::backend::is_native(&input.device())
    }

    /// The same by Burn's own operations.
    fn with_burn(&self, input: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        let Conv2dOptions { stride, padding, dilation, groups } = self.options;
        let mut output =
            burn_conv2d(input, weight, bias, ConvOptions::new(stride, padding, dilation, groups));
        if self.activation == Activation::Relu {
            output = relu(output);
        }
        match self.pool {
            Pool::None => output,
            Pool::Max2x2 => max_pool2d(output, MaxPoolOptions::new([2, 2])),
        }
    }
}
