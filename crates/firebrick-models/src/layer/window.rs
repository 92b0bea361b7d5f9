//! What a window that slides over an image does to height and width.

use firebrick_component::{ArgumentError, check};
use firebrick_kernels::Pool2dOptions;

use super::pair::Pair;
use crate::shape::{MAX_SIZE, Shape};

/// The window of a convolution or a pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) kernel_size: Pair,
    pub(super) stride: Pair,
    /// Added on both sides.
    pub(super) padding: Pair,
    pub(super) dilation: Pair,
}

impl Window {
    /// A pool's, whose stride is the window's own size unless it is given.
    pub(super) fn of_pool(kernel_size: Pair, stride: Option<Pair>, padding: Pair) -> Self {
        Self { kernel_size, stride: stride.unwrap_or(kernel_size), padding, dilation: Pair::one() }
    }

    /// What the kernels are told of a pool's.
    pub(super) fn pool_options(&self) -> Pool2dOptions {
        Pool2dOptions {
            kernel: self.kernel_size.0,
            stride: self.stride.0,
            padding: self.padding.0,
            dilation: self.dilation.0,
        }
    }

    /// Checks every argument by itself.
    pub(super) fn validate(&self) -> Result<(), ArgumentError> {
        check_pair("kernel_size", self.kernel_size, 1)?;
        check_pair("stride", self.stride, 1)?;
        check_pair("padding", self.padding, 0)?;
        check_pair("dilation", self.dilation, 1)
    }

    /// torch refuses a pool whose window may lie in the padding alone.
    pub(super) fn validate_pool(&self) -> Result<(), ArgumentError> {
        self.validate()?;
        let half = self.kernel_size.0.map(|size| size / 2);
        let fits = self.padding.0[0] <= half[0] && self.padding.0[1] <= half[1];
        let expected = format!("at most {}, half of kernel_size", Pair(half));
        check::that(fits, "padding", self.padding, expected)
    }

    /// torch's `ceil_mode`: how many rows and columns are missing behind an image for a last window that begins in it
    /// or in the padding before it.
    pub(super) fn missing(&self, image: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            let (stride, padding) = (self.stride.0[axis], self.padding.0[axis]);
            let padded = image[axis] + 2 * padding;
            let reach = self.reach(axis);
            let steps = padded.saturating_sub(reach).div_ceil(stride);
            let begins_inside = steps * stride < image[axis] + padding;
            let steps = if begins_inside { steps } else { steps.saturating_sub(1) };
            (steps * stride + reach).saturating_sub(padded)
        })
    }

    /// Pixels from the first of the window to its last.
    fn reach(&self, axis: usize) -> usize {
        self.dilation.0[axis] * self.kernel_size.0[axis].saturating_sub(1) + 1
    }

    /// The image that the window leaves behind, with `channels` channels.
    pub(super) fn slide(&self, channels: usize, image: [usize; 3]) -> Result<Shape, ArgumentError> {
        let [_, height, width] = image;
        let padded = [0, 1].map(|axis| [height, width][axis] + 2 * self.padding.0[axis]);
        let reach = [0, 1].map(|axis| self.reach(axis));
        if padded[0] < reach[0] || padded[1] < reach[1] {
            let dilated = if self.dilation == Pair::square(1) { "" } else { " with its dilation" };
            let expected =
                format!("at most {}, which is {} with its padding", Pair(padded), Shape::Image(image));
            return Err(ArgumentError::new("kernel_size", expected, format!("{}{dilated}", Pair(reach))));
        }
        let [height, width] = [0, 1].map(|axis| (padded[axis] - reach[axis]) / self.stride.0[axis] + 1);
        Ok(Shape::Image([channels, height, width]))
    }
}

fn check_pair(key: &str, pair: Pair, least: usize) -> Result<(), ArgumentError> {
    pair.0.iter().try_for_each(|size| check::in_range(key, *size, least, MAX_SIZE))
}
