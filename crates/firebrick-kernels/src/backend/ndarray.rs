//! The ndarray backend's tensors as slices.

#![allow(deprecated)] // asked for by name; gone in Burn 0.23

use burn::backend::ndarray::NdArrayTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{NdArray, TensorMetadata};
use burn::tensor::TensorData;

use super::implement::implement_kernels_for;
use super::native_floats::NativeFloats;

implement_kernels_for!(NdArray);

impl NativeFloats for NdArray {
    fn is_contiguous(tensor: &NdArrayTensor) -> bool {
        match tensor {
            NdArrayTensor::F32(storage) => storage.view().is_standard_layout(),
            _ => false,
        }
    }

    fn permute(tensor: NdArrayTensor, axes: [usize; 4]) -> NdArrayTensor {
        Self::float_permute(tensor, &axes)
    }

    fn to_contiguous(tensor: NdArrayTensor) -> NdArrayTensor {
        match tensor {
            NdArrayTensor::F32(storage) => {
                let array = storage.into_shared();
                let array = if array.is_standard_layout() {
                    array
                } else {
                    array.as_standard_layout().into_owned().into_shared()
                };
                array.into()
            }
            other => other,
        }
    }

    fn values(tensor: &NdArrayTensor) -> &[f32] {
        // Both orders that the callers want are dense, so memory order is what they want.
        match tensor {
            NdArrayTensor::F32(storage) => match storage.view().to_slice_memory_order() {
                Some(values) => values,
                None => unreachable!("bug: the kernels are given values that lie apart"),
            },
            _ => unreachable!("bug: the kernels are given {:?} and not f32", tensor.dtype()),
        }
    }

    fn values_mut(_: &mut NdArrayTensor) -> Option<&mut [f32]> {
        None // its storage does not say whether it is shared
    }

    fn from_values(values: Vec<f32>, shape: &[usize]) -> NdArrayTensor {
        NdArrayTensor::from_data(TensorData::new(values, shape.to_vec()))
    }
}
