//! The layers' functions on Burn's tensors: they choose between the kernels and Burn's own operations.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d as burn_conv2d, linear as burn_linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::backend::{Block, Layer};
use crate::cpu::Activation;
use crate::pooling::Pool2dOptions;

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
    let [_, in_channels, ..] = input_nchw.dims();
    let is_depthwise = options.groups > 1 && [in_channels, weight_oihw.dims()[0]] == [options.groups; 2];
    if is_depthwise && pool == Pool::Max2x2 {
        // Its kernels have no pooling; they are much faster all the same.
        let output = conv2d_block(input_nchw, weight_oihw, bias, options, activation, Pool::None);
        return crate::pooling::max_pool2d(output, Pool2dOptions::new(2));
    }
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    {
        let block = Block { layer: Layer::Conv2d { options, pool }, activation };
        if block.suits(&input_nchw, &weight_oihw, bias.as_ref()) {
            return crate::backend::run(input_nchw, weight_oihw, bias, block);
        }
    }
    let Conv2dOptions { stride, padding, dilation, groups } = options;
    let options = ConvOptions::new(stride, padding, dilation, groups);
    let output = activate(burn_conv2d(input_nchw, weight_oihw, bias, options), activation);
    match pool {
        Pool::None => output,
        Pool::Max2x2 => max_pool2d(output, MaxPoolOptions::new([2, 2])),
    }
}

/// `activation(input weight + bias)` as one operation.
///
/// # Shapes
/// `input` `[n, in]`, `weight` `[in, out]` as Burn's `Linear` has it, `bias` `[out]`; the result `[n, out]`.
///
/// # Source
/// `torch.nn.functional.linear`, whose weight is the transpose.
pub fn linear(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<2> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    {
        let block = Block { layer: Layer::Linear, activation };
        if block.suits(&input, &weight, bias.as_ref()) {
            return crate::backend::run(input, weight, bias, block);
        }
    }
    activate(burn_linear(input, weight, bias), activation)
}

/// One value for two uses, as at a residual connection: on the kernels' devices the gradients that come back from both are
/// then added in the order in which they lie in memory, which is several times faster than across it.
///
/// # Shapes
/// All NCHW.
pub fn used_twice(x_nchw: Tensor<4>) -> [Tensor<4>; 2] {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if crate::backend::is_native(&x_nchw.device()) {
        // Views: nothing is copied. The gradients meet at the one that has the memory's order.
        let x_nhwc = x_nchw.permute([0, 2, 3, 1]);
        return [x_nhwc.clone(), x_nhwc].map(|x| x.permute([0, 3, 1, 2]));
    }
    [x_nchw.clone(), x_nchw]
}

/// The activation by Burn's own operations.
fn activate<const D: usize>(values: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::None => values,
        Activation::Relu => relu(values),
    }
}
