//! The kernels as a Burn backend extension.
//!
//! [`KernelBackend`] is what Burn dispatches to; [`NativeFloats`] is what a CPU backend must offer for
//! it: its tensors' values as slices. The backward pass is in `autodiff`.

#![allow(deprecated)] // `NdArray` is asked for by name; it is gone in Burn 0.23

mod autodiff;
mod batch_norm;
mod block;
mod cross_entropy;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
mod pooling;
mod vector;

pub(crate) use block::{Block, Layer};

use std::sync::OnceLock;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, TensorMetadata, backend_extension};
use burn::tensor::{Device, Tensor};

use crate::batch_norm::Norm;
use crate::cross_entropy::Classes;
use crate::pooling::Pooling;

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

/// A backend whose f32 tensors lie in this process's memory.
pub(crate) trait NativeFloats: Backend {
    /// The same logical NCHW tensor with its values in NHWC order, converted if they are not.
    fn to_nhwc(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// The same tensor with its values in the order of its dimensions.
    fn to_contiguous(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// Values of what one of the two above returned, in memory order; empty if the tensor is not f32.
    fn values(tensor: &Self::FloatTensorPrimitive) -> &[f32];

    /// The values to write to, if the tensor is f32, contiguous and nobody else holds it.
    fn values_mut(tensor: &mut Self::FloatTensorPrimitive) -> Option<&mut [f32]>;

    /// A tensor of these values in the order of its dimensions.
    fn from_values(values: Vec<f32>, shape: &[usize]) -> Self::FloatTensorPrimitive;

    /// A logical NCHW tensor of values in NHWC order.
    fn from_nhwc(values: Vec<f32>, nchw: [usize; 4]) -> Self::FloatTensorPrimitive;
}

/// The environment variable that leaves everything to Burn's own operations when it is `0`: to compare
/// with, and to find out whose a wrong number is.
pub const KERNELS_VARIABLE: &str = "FIREBRICK_KERNELS";

/// Whether tensors on this device are computed by the kernels.
pub(crate) fn is_native(device: &Device) -> bool {
    fn native(device: &DispatchDevice) -> bool {
        match device {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => true,
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => true,
            DispatchDevice::Autodiff(device) => native(device),
            #[allow(unreachable_patterns)] // in a build that has no other backend
            _ => false,
        }
    }
    static OFF: OnceLock<bool> = OnceLock::new();
    let is_off = *OFF.get_or_init(|| std::env::var(KERNELS_VARIABLE).is_ok_and(|value| value == "0"));
    !is_off && native(device.as_dispatch())
}

/// Run a block on a native device.
pub(crate) fn run<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<D>,
    bias: Option<Tensor<1>>,
    block: Block,
) -> Tensor<D> {
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::kernel_block_with_bias(input, weight, bias.into_dispatch(), block),
        None => Dispatch::kernel_block(input, weight, block),
    })
}

/// Pool on a native device.
pub(crate) fn run_pooling(input: Tensor<4>, pooling: Pooling) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_pooling(input.into_dispatch(), pooling))
}

/// Cross-entropy on a native device.
pub(crate) fn run_cross_entropy(logits: Tensor<2>, classes: Classes) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::kernel_cross_entropy(logits.into_dispatch(), classes))
}

/// `a * factors[0] + b * factors[1]` on a native device.
pub(crate) fn run_scaled_sum(a: Tensor<1>, b: Tensor<1>, factors: [f32; 2]) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::kernel_scaled_sum(a.into_dispatch(), b.into_dispatch(), factors))
}

/// `b * factors[1] + c * factors[2]`, and `a * factors[0] + factors[3] * that`, on a native device.
pub(crate) fn run_two_scaled_sums(
    a: Tensor<1>,
    b: Tensor<1>,
    c: Tensor<1>,
    factors: [f32; 4],
) -> (Tensor<1>, Tensor<1>) {
    let [a, b, c] = [a, b, c].map(Tensor::into_dispatch);
    let (b, a) = Dispatch::kernel_two_scaled_sums(a, b, c, factors);
    (Tensor::from_dispatch(b), Tensor::from_dispatch(a))
}

/// The square root of the sum of squares on a native device.
pub(crate) fn run_l2_norm(values: Tensor<1>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::kernel_l2_norm(values.into_dispatch()))
}

/// Statistics of the channels on a native device.
pub(crate) fn run_statistics(input: Tensor<4>) -> (Tensor<1>, Tensor<1>) {
    let (mean, variance) = Dispatch::kernel_statistics(input.into_dispatch());
    (Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// Normalise on a native device; parameters are weight, bias, mean and variance.
pub(crate) fn run_norm(
    input: Tensor<4>,
    parameters: [Tensor<1>; 4],
    residual: Option<Tensor<4>>,
    norm: Norm,
) -> Tensor<4> {
    let input = input.into_dispatch();
    let [weight, bias, mean, variance] = parameters.map(Tensor::into_dispatch);
    Tensor::from_dispatch(match residual {
        Some(residual) => {
            let residual = residual.into_dispatch();
            Dispatch::kernel_norm_add(input, residual, weight, bias, mean, variance, norm)
        }
        None => Dispatch::kernel_norm(input, weight, bias, mean, variance, norm),
    })
}

/// The first four dimensions, 1 for those that are not there.
fn dims<B: Backend>(tensor: &B::FloatTensorPrimitive) -> [usize; 4] {
    let shape = tensor.shape();
    std::array::from_fn(|axis| shape.iter().nth(axis).copied().unwrap_or(1))
}

/// Implement the extension for a CPU backend.
macro_rules! implement_for {
    ($backend:ty) => {
        impl crate::backend::KernelBackend for $backend {
            fn kernel_block(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                block: crate::backend::Block,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::block::forward::<Self>(input, weight, None, block).0
            }

            fn kernel_block_with_bias(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                block: crate::backend::Block,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::block::forward::<Self>(input, weight, Some(bias), block).0
            }

            fn kernel_pooling(
                input: burn::backend::tensor::FloatTensor<Self>,
                pooling: crate::pooling::Pooling,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::pooling::forward::<Self>(input, pooling).0
            }

            fn kernel_cross_entropy(
                logits: burn::backend::tensor::FloatTensor<Self>,
                classes: crate::cross_entropy::Classes,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::cross_entropy::forward::<Self>(logits, classes).0
            }

            fn kernel_scaled_sum(
                a: burn::backend::tensor::FloatTensor<Self>,
                b: burn::backend::tensor::FloatTensor<Self>,
                factors: [f32; 2],
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::vector::run_scaled_sum::<Self>(a, b, factors)
            }

            fn kernel_two_scaled_sums(
                a: burn::backend::tensor::FloatTensor<Self>,
                b: burn::backend::tensor::FloatTensor<Self>,
                c: burn::backend::tensor::FloatTensor<Self>,
                factors: [f32; 4],
            ) -> (burn::backend::tensor::FloatTensor<Self>, burn::backend::tensor::FloatTensor<Self>) {
                crate::backend::vector::run_two_scaled_sums::<Self>(a, b, c, factors)
            }

            fn kernel_l2_norm(
                tensor: burn::backend::tensor::FloatTensor<Self>,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::vector::run_l2_norm::<Self>(tensor)
            }

            fn kernel_statistics(
                input: burn::backend::tensor::FloatTensor<Self>,
            ) -> (burn::backend::tensor::FloatTensor<Self>, burn::backend::tensor::FloatTensor<Self>) {
                crate::backend::batch_norm::statistics::<Self>(input)
            }

            fn kernel_norm(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                mean: burn::backend::tensor::FloatTensor<Self>,
                variance: burn::backend::tensor::FloatTensor<Self>,
                norm: crate::batch_norm::Norm,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                let parameters = [weight, bias, mean, variance];
                crate::backend::batch_norm::forward::<Self>(input, parameters, None, norm).0
            }

            fn kernel_norm_add(
                input: burn::backend::tensor::FloatTensor<Self>,
                residual: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                mean: burn::backend::tensor::FloatTensor<Self>,
                variance: burn::backend::tensor::FloatTensor<Self>,
                norm: crate::batch_norm::Norm,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                let parameters = [weight, bias, mean, variance];
                crate::backend::batch_norm::forward::<Self>(input, parameters, Some(residual), norm).0
            }
        }
    };
}
pub(crate) use implement_for;
