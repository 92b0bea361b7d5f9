//! Pooling on Burn's tensors: chooses between the kernels and Burn's own operations.

use burn::tensor::module::{avg_pool2d as burn_avg_pool2d, max_pool2d as burn_max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{DType, Tensor};

use crate::cpu::PoolShape;

/// How a pooling window walks over its input. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool2dOptions {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows, in input pixels.
    pub stride: [usize; 2],
    /// Pixels added on both sides, at most half the window.
    pub padding: [usize; 2],
    /// Distance between the pixels of a window.
    pub dilation: [usize; 2],
}

impl Pool2dOptions {
    /// Windows of `kernel` by `kernel` side by side, as torch's `MaxPool2d(kernel)`.
    #[must_use]
    pub fn new(kernel: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [kernel; 2], padding: [0, 0], dilation: [1, 1] }
    }
}

/// What is taken from a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolKind {
    Max,
    Average { count_padding: bool },
}

/// A pooling: everything but its tensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pooling {
    pub(crate) options: Pool2dOptions,
    pub(crate) kind: PoolKind,
}

impl Pooling {
    /// The geometry for an input of these dimensions.
    pub(crate) fn shape(&self, input_nchw: [usize; 4]) -> PoolShape {
        let [batch, channels, height, width] = input_nchw;
        let Pool2dOptions { kernel, stride, padding, dilation } = self.options;
        PoolShape { batch, channels, input: [height, width], kernel, stride, padding, dilation }
    }

    /// Pool by the kernels if they can, otherwise by Burn's own operations.
    fn run(&self, input: Tensor<4>) -> Tensor<4> {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        if input.dtype() == DType::F32
            && self.shape(input.dims()).validate().is_ok()
            && crate::backend::is_native(&input.device())
        {
            return crate::backend::run_pooling(input, *self);
        }
        let Pool2dOptions { kernel, stride, padding, dilation } = self.options;
        match self.kind {
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
}

/// The largest value of every window.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, the result `[n, c, h', w']`, rounded down.
///
/// # Source
/// `torch.nn.functional.max_pool2d`.
pub fn max_pool2d(input_nchw: Tensor<4>, options: Pool2dOptions) -> Tensor<4> {
    Pooling { options, kind: PoolKind::Max }.run(input_nchw)
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
    Pooling { options, kind: PoolKind::Average { count_padding: count_include_pad } }.run(input_nchw)
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
