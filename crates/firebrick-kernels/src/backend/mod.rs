//! The kernels as a Burn backend extension.
//!
//! [`KernelBackend`] is what Burn dispatches to; [`NativeFloats`] is what a CPU backend must offer for
//! it: its tensors' values as slices. The backward pass is in `autodiff`.

#![allow(deprecated)] // `NdArray` is asked for by name; it is gone in Burn 0.23

mod autodiff;
mod block;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
mod pooling;

use std::sync::OnceLock;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, TensorMetadata, backend_extension};
use burn::tensor::{Device, Tensor};

use crate::functional::Block;
use crate::pooling::Pooling;

/// The operations that Burn dispatches to the backends that have kernels.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait KernelBackend: Backend {
    /// A convolution block without bias.
    fn kernel_block(input: FloatTensor<Self>, weight: FloatTensor<Self>, block: Block) -> FloatTensor<Self>;

    /// A convolution block with bias.
    fn kernel_block_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        block: Block,
    ) -> FloatTensor<Self>;

    /// Pooling.
    fn kernel_pooling(input: FloatTensor<Self>, pooling: Pooling) -> FloatTensor<Self>;
}

/// A backend whose f32 tensors lie in this process's memory.
pub(crate) trait NativeFloats: Backend {
    /// The same logical NCHW tensor with its values in NHWC order, converted if they are not.
    fn to_nhwc(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// The same tensor with its values in the order of its dimensions.
    fn to_contiguous(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// Values of what one of the two above returned, in memory order; empty if the tensor is not f32.
    fn values(tensor: &Self::FloatTensorPrimitive) -> &[f32];

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
pub(crate) fn run(input: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, block: Block) -> Tensor<4> {
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

/// The dimensions of a four-dimensional tensor.
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
                block: crate::functional::Block,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::block::forward::<Self>(input, weight, None, block).0
            }

            fn kernel_block_with_bias(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                block: crate::functional::Block,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::block::forward::<Self>(input, weight, Some(bias), block).0
            }

            fn kernel_pooling(
                input: burn::backend::tensor::FloatTensor<Self>,
                pooling: crate::pooling::Pooling,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::pooling::forward::<Self>(input, pooling).0
            }
        }
    };
}
pub(crate) use implement_for;
