//! Layer normalisation on Burn's tensors: chooses between the kernels and Burn's own operations.

use burn::tensor::{DType, Tensor};

use crate::backend::Native;

/// Layer normalisation of the channels of each pixel of images, or of the features of each row: mean 0 and (biased)
/// variance 1, then scaled and shifted.
///
/// # Shapes
/// `input` `[n, c, h, w]` or `[n, c]`, and so is the result; `weight` and `bias` `[c]`.
///
/// # Panics
/// If `input` has another number of dimensions, or a parameter another length; in Burn's words.
///
/// # Source
/// `torch.nn.functional.layer_norm`; for images the `LayerNorm2d` of `torchvision.models.convnext`.
pub fn layer_norm<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
) -> Tensor<D> {
    let channels = input.dims()[1];
    let suits = input.dtype() == DType::F32
        && matches!(D, 2 | 4)
        && input.dims().iter().all(|size| *size > 0)
        && [&weight, &bias].iter().all(|tensor| tensor.dtype() == DType::F32 && tensor.dims() == [channels]);
    match Native::of(&input.device()) {
        Some(native) if suits => native.layer_norm(input, weight, bias, eps),
        _ => with_burn(input, weight, bias, eps),
    }
}

/// The same by Burn's own operations.
fn with_burn<const D: usize>(input: Tensor<D>, weight: Tensor<1>, bias: Tensor<1>, eps: f64) -> Tensor<D> {
    let shape: [usize; D] = std::array::from_fn(|axis| if axis == 1 { input.dims()[1] } else { 1 });
    let centred = input.clone() - input.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred / (variance + eps).sqrt() * weight.reshape(shape) + bias.reshape(shape)
}
