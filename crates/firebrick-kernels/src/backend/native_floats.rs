//! What a CPU backend must offer for the kernels: its tensors' values as slices.

use burn::backend::{Backend, TensorMetadata};

use crate::cpu::{ShapeError, transpose};

/// NCHW to NHWC.
const TO_NHWC: [usize; 4] = [0, 2, 3, 1];

/// NHWC to NCHW.
const TO_NCHW: [usize; 4] = [0, 3, 1, 2];

/// A backend whose f32 tensors lie in this process's memory.
pub(crate) trait NativeFloats: Backend {
    /// Whether the values lie in the order of the dimensions.
    fn is_contiguous(tensor: &Self::FloatTensorPrimitive) -> bool;

    /// The same values under other dimensions; nothing moves.
    fn permute(tensor: Self::FloatTensorPrimitive, axes: [usize; 4]) -> Self::FloatTensorPrimitive;

    /// The same tensor with its values in the order of its dimensions, by the backend's own means.
    fn to_contiguous(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive;

    /// Values of what one of the conversions returned, in memory order. The callers have checked that they are f32.
    fn values(tensor: &Self::FloatTensorPrimitive) -> &[f32];

    /// The values to write to, if the tensor is f32, contiguous and nobody else holds it.
    fn values_mut(tensor: &mut Self::FloatTensorPrimitive) -> Option<&mut [f32]>;

    /// A tensor of these values in the order of its dimensions.
    fn from_values(values: Vec<f32>, shape: &[usize]) -> Self::FloatTensorPrimitive;

    /// The same logical NCHW tensor with its values in NHWC order, converted if they are not.
    fn to_nhwc(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive {
        let [batch, channels, height, width] = dims::<Self>(&tensor);
        let is_nchw = Self::is_contiguous(&tensor);
        let tensor = Self::permute(tensor, TO_NHWC);
        if Self::is_contiguous(&tensor) {
            return Self::permute(tensor, TO_NCHW);
        }
        if !is_nchw {
            return Self::permute(Self::to_contiguous(tensor), TO_NCHW);
        }
        let tensor = Self::permute(tensor, TO_NCHW);
        let values = transpose(Self::values(&tensor), [channels, height * width]);
        Self::from_nhwc(values, [batch, channels, height, width])
    }

    /// The same logical NCHW tensor with its values in NCHW order, converted if they are not.
    fn to_nchw(tensor: Self::FloatTensorPrimitive) -> Self::FloatTensorPrimitive {
        if Self::is_contiguous(&tensor) {
            return tensor;
        }
        let dims = dims::<Self>(&tensor);
        let tensor = Self::permute(tensor, TO_NHWC);
        if !Self::is_contiguous(&tensor) {
            return Self::to_contiguous(Self::permute(tensor, TO_NCHW));
        }
        let [_, channels, height, width] = dims;
        Self::from_values(transpose(Self::values(&tensor), [height * width, channels]), &dims)
    }

    /// A logical NCHW tensor of values in NHWC order.
    fn from_nhwc(
        values: Vec<f32>,
        [batch, channels, height, width]: [usize; 4],
    ) -> Self::FloatTensorPrimitive {
        Self::permute(Self::from_values(values, &[batch, height, width, channels]), TO_NCHW)
    }
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
