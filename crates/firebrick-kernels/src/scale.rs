//! Images times factors on Burn's tensors: chooses between the kernels and Burn's own operations.

use burn::tensor::{DType, Tensor};

use crate::backend::Native;

/// Images times a factor for each channel, each image, or each channel of each image: layer scale, or what a gate lets
/// through.
///
/// # Shapes
/// `images_nchw` `[n, c, h, w]`, and so is the result; `factors` `[1, c, 1, 1]`, `[n, 1, 1, 1]` or `[n, c, 1, 1]`.
///
/// # Panics
/// For other shapes of `factors` that do not broadcast; in Burn's words.
///
/// # Source
/// `images * factors` in torch.
pub fn scale(images_nchw: Tensor<4>, factors: Tensor<4>) -> Tensor<4> {
    match native_for(&[&images_nchw], &factors) {
        Some(native) => native.scale(images_nchw, factors),
        None => images_nchw * factors,
    }
}

/// `images * factors + added`; the factors get no gradient. Stochastic depth at the end of a residual block.
///
/// # Shapes
/// As [`scale`]; `added` as the images.
///
/// # Panics
/// As [`scale`].
pub fn scale_add(images_nchw: Tensor<4>, factors: Tensor<4>, added_nchw: Tensor<4>) -> Tensor<4> {
    let is_alike = images_nchw.dims() == added_nchw.dims();
    match native_for(&[&images_nchw, &added_nchw], &factors) {
        Some(native) if is_alike => native.scale_add(images_nchw, factors, added_nchw),
        _ => images_nchw * factors.detach() + added_nchw,
    }
}

/// The device, if the kernels compute this; if not, Burn does, or says what is wrong with the tensors.
fn native_for(images: &[&Tensor<4>], factors: &Tensor<4>) -> Option<Native> {
    let [n, channels, h, w] = images[0].dims();
    let [own_images, own_channels, rows, columns] = factors.dims();
    let suits = n * channels * h * w > 0
        && images.iter().all(|images| images.dtype() == DType::F32)
        && factors.dtype() == DType::F32
        && [1, n].contains(&own_images)
        && [1, channels].contains(&own_channels)
        && [rows, columns] == [1, 1];
    if suits { Native::of(&factors.device()) } else { None }
}
