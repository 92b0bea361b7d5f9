//! What the layers' functions compute, without the tensors: the options that callers give, and one description for each
//! operation of the kernels.

use crate::cpu::{Activation, ConvShape, FusedActivation, PoolShape, WeightOrder};

/// How a convolution walks over its input. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dOptions {
    /// Steps between outputs, in input pixels.
    pub stride: [usize; 2],
    /// Zeros added on both sides.
    pub padding: [usize; 2],
    /// Zeros added at the bottom and on the right besides.
    pub extra_padding: [usize; 2],
    /// Distance between kernel taps, in input pixels.
    pub dilation: [usize; 2],
    /// Independent groups of channels.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], extra_padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// What follows a convolution and its activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pool {
    /// Nothing.
    #[default]
    None,
    /// Max pooling over windows of 2 by 2 with stride 2.
    Max2x2,
}

/// A layer with a weight, and the activation after it: everything but its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) layer: Layer,
    pub(crate) activation: FusedActivation,
}

/// The layer before the activation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    Conv2d { options: Conv2dOptions, pool: Pool },
    Linear,
}

impl Block {
    /// The geometry for tensors of these dimensions; those of a linear layer have two, the others count as one.
    pub(crate) fn shape(&self, input: [usize; 4], weight: [usize; 4]) -> ConvShape {
        let Layer::Conv2d { options, .. } = self.layer else {
            return ConvShape::linear(input[0], weight[0], weight[1]);
        };
        let [batch, in_channels, height, width] = input;
        let [out_channels, _, kernel_height, kernel_width] = weight;
        ConvShape {
            batch,
            in_channels,
            out_channels,
            input: [height, width],
            kernel: [kernel_height, kernel_width],
            stride: options.stride,
            padding: options.padding,
            extra_padding: options.extra_padding,
            dilation: options.dilation,
            groups: options.groups,
            order: WeightOrder::OutIn,
        }
    }
}

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
}

/// A normalisation: everything but its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm {
    pub(crate) eps: f64,
    /// Whether the statistics are the input's own, so that gradients go through them too.
    pub(crate) own_statistics: bool,
    pub(crate) activation: Activation,
}

/// How the losses of the rows become one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    /// Their sum.
    Sum,
    /// Their sum over the number of rows that are not ignored; NaN if there are none.
    Mean,
}

/// A cross-entropy of class indices: everything but the logits.
#[derive(Clone, Debug)]
pub(crate) struct Classes {
    /// Each row's class; `None` where it is ignored.
    pub(crate) of_rows: Vec<Option<usize>>,
    pub(crate) total: Total,
}
