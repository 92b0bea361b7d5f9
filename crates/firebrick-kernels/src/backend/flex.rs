//! The flex backend's tensors as slices.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use super::implement::implement_kernels_for;
use super::native_floats::NativeFloats;

implement_kernels_for!(Flex);

impl NativeFloats for Flex {
    fn is_contiguous(tensor: &FlexTensor) -> bool {
        tensor.is_contiguous()
    }

    fn permute(tensor: FlexTensor, axes: [usize; 4]) -> FlexTensor {
        let layout = tensor.layout().permute(&axes);
        tensor.with_layout(layout)
    }

    fn to_contiguous(tensor: FlexTensor) -> FlexTensor {
        if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
    }

    fn values(tensor: &FlexTensor) -> &[f32] {
        let (dtype, layout) = (tensor.dtype(), tensor.layout());
        assert!(dtype == DType::F32, "bug: the kernels are given {dtype:?} and not f32");
        let start = layout.start_offset();
        &tensor.storage::<f32>()[start..start + layout.num_elements()]
    }

    fn values_mut(tensor: &mut FlexTensor) -> Option<&mut [f32]> {
        if tensor.dtype() != DType::F32 || !tensor.is_contiguous() {
            return None;
        }
        let (start, len) = (tensor.layout().start_offset(), tensor.layout().num_elements());
        tensor.try_storage_mut::<f32>()?.get_mut(start..start + len)
    }

    fn from_values(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
        let layout = Layout::contiguous(Shape::from(shape.to_vec()));
        FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
    }
}
