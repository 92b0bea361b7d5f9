//! What a window that slides over an image does to height and width.

use burn::nn::PaddingConfig2d;

/// The window of a convolution or a pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) kernel_size: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Added on both sides.
    pub(crate) padding: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Whether a window that does not fit whole counts.
    pub(crate) ceil_mode: bool,
}

impl Window {
    /// A window without padding, dilation or `ceil_mode`.
    pub(crate) fn new(kernel_size: [usize; 2], stride: [usize; 2]) -> Self {
        Self { kernel_size, stride, padding: [0, 0], dilation: [1, 1], ceil_mode: false }
    }

    /// Height and width of the output; 0 where the window does not fit once.
    pub(crate) fn output(&self, input_hw: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| self.output_size(axis, input_hw[axis]))
    }

    /// Pixels from the window's first to its last, dilation counted.
    pub(crate) fn reach(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.dilation[axis] * self.kernel_size[axis].saturating_sub(1) + 1)
    }

    /// The image's height and width with its padding.
    pub(crate) fn padded(&self, input_hw: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| input_hw[axis] + 2 * self.padding[axis])
    }

    /// torch's formula.
    fn output_size(&self, axis: usize, input: usize) -> usize {
        let reach = self.reach()[axis];
        let padded = input + 2 * self.padding[axis];
        let stride = self.stride[axis].max(1);
        if padded < reach {
            return 0;
        }
        let room = padded - reach;
        let steps = room / stride;
        let partial = self.ceil_mode && !room.is_multiple_of(stride);
        // A window that would start in the right padding does not count, also in ceil mode.
        let starts_inside = (steps + 1) * stride < input + self.padding[axis];
        steps + 1 + usize::from(partial && starts_inside)
    }
}

/// Burn's padding as one number for both sides.
pub(crate) fn symmetric_padding(padding: &PaddingConfig2d, kernel_size: [usize; 2]) -> [usize; 2] {
    match padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Same => kernel_size.map(|size| size.saturating_sub(1) / 2),
        PaddingConfig2d::Explicit(top, left, _bottom, _right) => [*top, *left],
    }
}
