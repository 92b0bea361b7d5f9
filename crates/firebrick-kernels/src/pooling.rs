//! Pooling on Burn's tensors: chooses between the kernels and Burn's own operations.

use burn::tensor::module::{
    adaptive_avg_pool2d as burn_adaptive_avg_pool2d, avg_pool2d as burn_avg_pool2d,
    max_pool2d as burn_max_pool2d,
};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{DType, Tensor};

use crate::backend::Native;
use crate::operation::{Pool2dOptions, PoolKind, Pooling};

/// The largest value of every window.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, the result `[n, c, h', w']`, rounded down.
///
/// # Source
/// `torch.nn.functional.max_pool2d`.
pub fn max_pool2d(input_nchw: Tensor<4>, options: Pool2dOptions) -> Tensor<4> {
    pool(Pooling { options, kind: PoolKind::Max }, input_nchw)
}

/// The average of every window; `count_include_pad` divides by the whole window also where it reaches into the padding (torch's default).
/// The dilation is not used.
///
/// # Shapes
/// As [`max_pool2d`].
///
/// # Source
/// `torch.nn.functional.avg_pool2d`.
pub fn avg_pool2d(input_nchw: Tensor<4>, options: Pool2dOptions, count_include_pad: bool) -> Tensor<4> {
    let options = Pool2dOptions { dilation: [1, 1], ..options };
    let kind = PoolKind::Average { count_padding: count_include_pad };
    pool(Pooling { options, kind }, input_nchw)
}

/// The average of every channel.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, the result `[n, c, 1, 1]`.
///
/// # Source
/// `torch.nn.AdaptiveAvgPool2d(1)`.
pub fn global_avg_pool2d(input_nchw: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = input_nchw.dims();
    let options = Pool2dOptions { kernel: [height, width], ..Pool2dOptions::new(1) };
    avg_pool2d(input_nchw, options, true)
}

/// The average of each of `output` parts of the image; parts overlap where the image cannot be divided evenly.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, the result `[n, c, output[0], output[1]]`.
///
/// # Source
/// `torch.nn.functional.adaptive_avg_pool2d`.
pub fn adaptive_avg_pool2d(input_nchw: Tensor<4>, output: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = input_nchw.dims();
    if output.contains(&0) || height % output[0] != 0 || width % output[1] != 0 {
        return burn_adaptive_avg_pool2d(input_nchw, output);
    }
    let kernel = [height / output[0], width / output[1]];
    avg_pool2d(input_nchw, Pool2dOptions { kernel, stride: kernel, ..Pool2dOptions::new(1) }, true)
}

/// Pool by the kernels if they can, otherwise by Burn's own operations.
fn pool(pooling: Pooling, input: Tensor<4>) -> Tensor<4> {
    if input.dtype() == DType::F32
        && pooling.shape(input.dims()).validate().is_ok()
        && let Some(native) = Native::of(&input.device())
    {
        return native.pooling(input, pooling);
    }
    let Pool2dOptions { kernel, stride, padding, dilation } = pooling.options;
    match pooling.kind {
        PoolKind::Max => {
            let options = MaxPoolOptions::new(kernel).with_stride(stride).with_padding(padding);
            burn_max_pool2d(input, options.with_dilation(dilation))
        }
        PoolKind::Average { count_padding } => {
            let options = AvgPoolOptions::new(kernel).with_stride(stride).with_padding(padding);
            burn_avg_pool2d(input, options.with_count_include_pad(count_padding))
        }
    }
}
