//! What a CPU backend must offer for the kernels: its tensors' values as slices.

use burn::backend::{Backend, TensorMetadata};

use crate::cpu::ShapeError;

/// A backend whose f32 tensors lie in this process's memory.
pub(crate) trait NativeFloats: Backend {
    /// The same logical NCHW tensor with its values in NHWC order, converted if they are not.
    fn to_nhwc(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// The same tensor with its values in the order of its dimensions.
    fn to_contiguous(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// Values of what one of the two above returned, in memory order. The callers have checked that they are f32.
    fn values(tensor: &Self::FloatTensorPrimitive) -> &[f32];

    /// The values to write to, if the tensor is f32, contiguous and nobody else holds it.
    fn values_mut(tensor: &mut Self::FloatTensorPrimitive) -> Option<&mut [f32]>;

    /// A tensor of these values in the order of its dimensions.
    fn from_values(values: Vec<f32>, shape: &[usize]) -> Self::FloatTensorPrimitive;

    /// A logical NCHW tensor of values in NHWC order.
    fn from_nhwc(values: Vec<f32>, nchw: [usize; 4]) -> Self::FloatTensorPrimitive;
}

/// The first four dimensions, 1 for those that are not there.
pub(super) fn dims<B: Backend>(tensor: &B::FloatTensorPrimitive) -> [usize; 4] {
    let shape = tensor.shape();
    std::array::from_fn(|axis| shape.iter().nth(axis).copied().unwrap_or(1))
}

/// What a kernel gives for shapes that its caller has checked.
pub(super) fn checked<T>(found: Result<T, ShapeError>) -> T {
    match found {
        Ok(found) => found,
        Err(error) => unreachable!("bug: a kernel refuses shapes that were checked: {error}"),
    }
}
