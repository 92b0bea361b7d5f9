//! The layers' functions, as one operation where PyTorch has several lines.
//!
//! A convolution with the ReLU and the pool behind it, or a linear layer with the ReLU behind it, is one pass over memory in
//! [`firebrick_kernels`], which runs its own kernels on the CPU backends and Burn's operations
//! elsewhere; nothing here knows which.

use burn::nn::conv::Conv2d;
use burn::nn::pool::{AvgPool2d, MaxPool2d};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use firebrick_kernels::{
    Activation, Conv2dOptions, Pool, Pool2dOptions, avg_pool2d, conv2d_block, max_pool2d,
};

/// `pool(conv(x))`.
///
/// # Shapes
///
/// `[n, in, h, w]` to `[n, out, h', w']`, as the two layers say.
pub fn conv_pool(conv: &Conv2d, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    conv_block(conv, Activation::None, Some(pool), x)
}

/// `pool(relu(conv(x)))`.
///
/// # Shapes
///
/// As [`conv_pool`].
pub fn conv_relu_pool(conv: &Conv2d, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    conv_block(conv, Activation::Relu, Some(pool), x)
}

/// A convolution, then perhaps a ReLU, then perhaps a pool.
///
/// # Shapes
///
/// As [`conv_pool`]; without a pool, as the convolution says.
pub fn conv_block(
    conv: &Conv2d,
    activation: Activation,
    pool: Option<&MaxPool2d>,
    x: Tensor<4>,
) -> Tensor<4> {
    let is_fused = pool.is_some_and(halves);
    let x = convolution(conv, activation, if is_fused { Pool::Max2x2 } else { Pool::None }, x);
    match pool {
        Some(pool) if !is_fused => max_pool(pool, x),
        _ => x,
    }
}

/// `fc(x)`.
///
/// # Shapes
///
/// `[n, in]` to `[n, out]`.
pub fn linear(fc: &Linear, x: Tensor<2>) -> Tensor<2> {
    linear_block(fc, Activation::None, x)
}

/// `relu(fc(x))`.
///
/// # Shapes
///
/// As [`linear`].
pub fn linear_relu(fc: &Linear, x: Tensor<2>) -> Tensor<2> {
    linear_block(fc, Activation::Relu, x)
}

fn linear_block(fc: &Linear, activation: Activation, x: Tensor<2>) -> Tensor<2> {
    firebrick_kernels::linear(x, fc.weight.val(), fc.bias.as_ref().map(|bias| bias.val()), activation)
}

/// `pool(x)`.
///
/// # Shapes
///
/// `[n, c, h, w]` to `[n, c, h', w']`, as the layer says.
pub fn max_pool(pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    match symmetric(&pool.padding) {
        Some(padding) if !pool.ceil_mode => {
            let MaxPool2d { kernel_size, stride, dilation, .. } = *pool;
            max_pool2d(x, Pool2dOptions { kernel: kernel_size, stride, padding, dilation })
        }
        _ => pool.forward(x),
    }
}

/// `pool(x)`.
///
/// # Shapes
///
/// As [`max_pool`].
pub fn avg_pool(pool: &AvgPool2d, x: Tensor<4>) -> Tensor<4> {
    match symmetric(&pool.padding) {
        Some(padding) if !pool.ceil_mode => {
            let AvgPool2d { kernel_size, stride, .. } = *pool;
            let options = Pool2dOptions { kernel: kernel_size, stride, padding, dilation: [1, 1] };
            avg_pool2d(x, options, pool.count_include_pad)
        }
        _ => pool.forward(x),
    }
}

fn convolution(conv: &Conv2d, activation: Activation, pool: Pool, x: Tensor<4>) -> Tensor<4> {
    let Some(padding) = symmetric(&conv.padding) else {
        let x = conv.forward(x);
        let x = if activation == Activation::Relu { relu(x) } else { x };
        return if pool == Pool::Max2x2 { max_pool2d(x, Pool2dOptions::new(2)) } else { x };
    };
    let Conv2d { stride, dilation, groups, .. } = *conv;
    let options = Conv2dOptions { stride, padding, dilation, groups };
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    conv2d_block(x, conv.weight.val(), bias, options, activation, pool)
}

/// Padding that is the same on both sides.
fn symmetric(padding: &PaddingConfig2d) -> Option<[usize; 2]> {
    match *padding {
        PaddingConfig2d::Valid => Some([0, 0]),
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            Some([top, left])
        }
        _ => None,
    }
}

/// Whether a pool is torch's `MaxPool2d(2)`.
fn halves(pool: &MaxPool2d) -> bool {
    let plain = symmetric(&pool.padding) == Some([0, 0]);
    plain && pool.kernel_size == [2, 2] && pool.stride == [2, 2] && pool.dilation == [1, 1] && !pool.ceil_mode
}
