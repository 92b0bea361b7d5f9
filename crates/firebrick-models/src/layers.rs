//! The layers' functions, as one operation where PyTorch has several lines.
//!
//! A convolution with the ReLU and the pool behind it is one pass over memory in
//! [`firebrick_kernels`], which runs its own kernels on the CPU backends and Burn's operations
//! elsewhere; nothing here knows which.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use firebrick_kernels::{Activation, Conv2dOptions, Pool, conv2d_block};

/// `pool(conv(x))`.
///
/// # Shapes
///
/// `[n, in, h, w]` to `[n, out, h', w']`, as the two layers say.
pub fn conv_pool(conv: &Conv2d, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    block(conv, Activation::None, pool, x)
}

/// `pool(relu(conv(x)))`.
///
/// # Shapes
///
/// As [`conv_pool`].
pub fn conv_relu_pool(conv: &Conv2d, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    block(conv, Activation::Relu, pool, x)
}

fn block(conv: &Conv2d, activation: Activation, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    let (Some(options), true) = (symmetric(conv), halves(pool)) else {
        let x = conv.forward(x);
        let x = if activation == Activation::Relu { relu(x) } else { x };
        return pool.forward(x);
    };
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    conv2d_block(x, conv.weight.val(), bias, options, activation, Pool::Max2x2)
}

/// The layer's options, unless its padding differs from side to side.
fn symmetric(conv: &Conv2d) -> Option<Conv2dOptions> {
    let padding = match conv.padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => [top, left],
        _ => return None,
    };
    Some(Conv2dOptions { stride: conv.stride, padding, dilation: conv.dilation, groups: conv.groups })
}

/// Whether a pool is torch's `MaxPool2d(2)`.
fn halves(pool: &MaxPool2d) -> bool {
    let plain = matches!(pool.padding, PaddingConfig2d::Valid | PaddingConfig2d::Explicit(0, 0, 0, 0));
    plain && pool.kernel_size == [2, 2] && pool.stride == [2, 2] && pool.dilation == [1, 1] && !pool.ceil_mode
}
