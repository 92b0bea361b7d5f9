//! The flex backend's tensors as slices.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use super::implement::implement_kernels_for;
use super::native_floats::NativeFloats;

implement_kernels_for!(Flex);

impl NativeFloats for Flex {
    fn is_contiguous(tensor: &FlexTensor) -> bool {
        is_contiguous(tensor.layout())
    }

    fn permute(tensor: FlexTensor, axes: [usize; 4]) -> FlexTensor {
        let layout = tensor.layout();
        let (sizes, strides) = (layout.shape().as_slice(), layout.strides());
        let shape = Shape::from(axes.map(|axis| sizes[axis]));
        let layout =
            Layout::new(shape, axes.iter().map(|&axis| strides[axis]).collect(), layout.start_offset());
        tensor.with_layout(layout)
    }

    fn to_contiguous(tensor: FlexTensor) -> FlexTensor {
        if is_contiguous(tensor.layout()) { tensor } else { tensor.to_contiguous() }
    }

    fn values(tensor: &FlexTensor) -> &[f32] {
        let (dtype, layout) = (tensor.dtype(), tensor.layout());
        assert!(dtype == DType::F32, "bug: the kernels are given {dtype:?} and not f32");
        let start = layout.start_offset();
        &tensor.storage::<f32>()[start..start + layout.num_elements()]
    }

    fn values_mut(tensor: &mut FlexTensor) -> Option<&mut [f32]> {
        if tensor.dtype() != DType::F32 || !is_contiguous(tensor.layout()) {
            return None;
        }
        let (start, len) = (tensor.layout().start_offset(), tensor.layout().num_elements());
        tensor.try_storage_mut::<f32>()?.get_mut(start..start + len)
    }

    fn from_values(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis] as isize;
        }
        let layout = Layout::new(Shape::new_raw(shape.into()), strides, 0);
        FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
    }
}

// Flex has functions for layouts, too. They run several times an operation, and the dev profile compiles flex without
// optimisation, because of all the kernels of its own that do not run: these are compiled with ours.

/// Whether the values lie in the order of the dimensions.
fn is_contiguous(layout: &Layout) -> bool {
    let sizes = layout.shape().as_slice();
    if sizes.contains(&0) {
        return true;
    }
    let mut expected = 1;
    for (&size, &stride) in sizes.iter().zip(layout.strides()).rev() {
        if stride <= 0 || (size != 1 && stride != expected) {
            return false;
        }
        expected *= size as isize;
    }
    true
}
