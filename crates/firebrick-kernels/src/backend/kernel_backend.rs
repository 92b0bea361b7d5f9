//! The extension of Burn's backends by the kernels.

#![allow(deprecated)] // `NdArray` is asked for by name; it is gone in Burn 0.23

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::cpu::Activation;
use crate::operation::{Block, Classes, Norm, Pooling};

/// The operations that Burn dispatches to the backends that have kernels.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait KernelBackend: Backend {
    /// A layer with a weight, without bias.
    fn kernel_block(input: FloatTensor<Self>, weight: FloatTensor<Self>, block: Block) -> FloatTensor<Self>;

    /// A layer with a weight and bias.
    fn kernel_block_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        block: Block,
    ) -> FloatTensor<Self>;

    /// The same tensor with its values in NCHW order.
    fn kernel_to_nchw(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// An activation function of every value.
    fn kernel_activation(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;

    /// Layer normalisation of the channels of each pixel, or of rows.
    fn kernel_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self>;

    /// Images times factors.
    fn kernel_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Images times factors, which get no gradient, and something added.
    fn kernel_scale_add(
        input: FloatTensor<Self>,
        factors: FloatTensor<Self>,
        added: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Pooling.
    fn kernel_pooling(input: FloatTensor<Self>, pooling: Pooling) -> FloatTensor<Self>;

    /// Cross-entropy of rows of logits, `[1]`.
    fn kernel_cross_entropy(logits: FloatTensor<Self>, classes: Classes) -> FloatTensor<Self>;

    /// `a * factors[0] + b * factors[1]`.
    fn kernel_scaled_sum(a: FloatTensor<Self>, b: FloatTensor<Self>, factors: [f32; 2]) -> FloatTensor<Self>;

    /// `b * factors[1] + c * factors[2]`, and `a * factors[0] + factors[3] * that`.
    fn kernel_two_scaled_sums(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        factors: [f32; 4],
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// The square root of the sum of squares, `[1]`.
    fn kernel_l2_norm(tensor: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Mean and biased variance of every channel; they have no gradient.
    fn kernel_statistics(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Batch normalisation; mean and variance get no gradient.
    fn kernel_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self>;

    /// As [`kernel_norm`](Self::kernel_norm), and something is added before the activation.
    fn kernel_norm_add(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self>;
}
