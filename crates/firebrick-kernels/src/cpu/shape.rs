//! The geometry of a two-dimensional convolution, checked once so that no kernel has to.

use thiserror::Error;

/// Why a convolution or pooling cannot be computed.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// A number that must be positive is zero.
    #[error("{what} must be at least 1, got 0")]
    Zero {
        /// The argument's name.
        what: &'static str,
    },
    /// Channels do not divide into the groups.
    #[error(
        "{what} = {channels} does not divide into groups = {groups}; choose groups that divide both channel counts"
    )]
    Groups {
        /// `in_channels` or `out_channels`.
        what: &'static str,
        /// The channel count.
        channels: usize,
        /// The number of groups.
        groups: usize,
    },
    /// Groups of channels with a weight whose order has none.
    #[error(
        "a weight in the order [in, out] has no groups, got groups = {groups}; give it as [out, in / groups]"
    )]
    GroupsOfOrder {
        /// The number of groups.
        groups: usize,
    },
    /// The kernel reaches beyond the padded image.
    #[error(
        "the kernel spans {kernel} {axis} pixels, the padded input has {input}; use a smaller kernel or dilation, or more padding"
    )]
    KernelTooLarge {
        /// `vertical` or `horizontal`.
        axis: &'static str,
        /// Pixels the dilated kernel spans.
        kernel: usize,
        /// Pixels of the padded input.
        input: usize,
    },
    /// A pooling window could lie in the padding altogether.
    #[error(
        "padding = {padding} is more than half of kernel size = {kernel}; use less padding or a larger window"
    )]
    PoolPadding {
        /// The padding.
        padding: usize,
        /// The window's size on the same axis.
        kernel: usize,
    },
    /// A slice does not have the length that its shape says.
    #[error("{what} has {got} values, the shape needs {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Values the shape needs.
        expected: usize,
        /// Values there are.
        got: usize,
    },
    /// The number of values does not fit into memory's address range.
    #[error("the shape of {what} has more values than this machine can address")]
    Overflow {
        /// Which tensor.
        what: &'static str,
    },
}

/// Which channels are summed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// Sum over input channels, produce output channels.
    Forward,
    /// Sum over output channels, produce input channels.
    InputGradient,
}

impl Direction {
    /// Channels summed over and channels produced, in one group.
    pub(crate) fn group_channels(self, shape: &ConvShape) -> [usize; 2] {
        match self {
            Self::Forward => [shape.group_in(), shape.group_out()],
            Self::InputGradient => [shape.group_out(), shape.group_in()],
        }
    }

    /// Height and width of the source and of the target.
    pub(crate) fn sizes(self, shape: &ConvShape) -> [[usize; 2]; 2] {
        match self {
            Self::Forward => [shape.input, shape.output()],
            Self::InputGradient => [shape.output(), shape.input],
        }
    }
}

/// Sizes and options of one convolution; activations are NHWC, weights `[out, in / groups, height, width]`.
///
/// Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between outputs, in input pixels.
    pub stride: [usize; 2],
    /// Zeros added on both sides.
    pub padding: [usize; 2],
    /// Zeros added at the bottom and on the right besides.
    pub extra_padding: [usize; 2],
    /// Distance between kernel taps, in input pixels.
    pub dilation: [usize; 2],
    /// Independent groups of channels; equal to the channels for a depthwise convolution.
    pub groups: usize,
    /// How the weight and its gradient lie in memory.
    pub order: WeightOrder,
}

/// The order of a weight's dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WeightOrder {
    /// `[out, in / groups, height, width]`.
    #[default]
    OutIn,
    /// `[in, out, height, width]`, without groups: Burn's linear layers have it.
    InOut,
}

impl ConvShape {
    /// A linear layer: a convolution of images of one pixel, its weight `[inputs, outputs]`.
    #[must_use]
    pub fn linear(rows: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            batch: rows,
            in_channels: inputs,
            out_channels: outputs,
            input: [1, 1],
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            extra_padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            order: WeightOrder::InOut,
        }
    }

    /// Check everything that the kernels rely on.
    ///
    /// # Errors
    /// A zero where a size is needed, channels that do not divide, a kernel larger than the padded input, or sizes whose product overflows.
    pub fn validate(&self) -> Result<(), ShapeError> {
        let sizes = [
            ("batch", self.batch),
            ("in_channels", self.in_channels),
            ("out_channels", self.out_channels),
            ("input height", self.input[0]),
            ("input width", self.input[1]),
            ("kernel height", self.kernel[0]),
            ("kernel width", self.kernel[1]),
            ("vertical stride", self.stride[0]),
            ("horizontal stride", self.stride[1]),
            ("vertical dilation", self.dilation[0]),
            ("horizontal dilation", self.dilation[1]),
            ("groups", self.groups),
        ];
        if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ShapeError::Zero { what });
        }
        for (what, channels) in [("in_channels", self.in_channels), ("out_channels", self.out_channels)] {
            if !channels.is_multiple_of(self.groups) {
                return Err(ShapeError::Groups { what, channels, groups: self.groups });
            }
        }
        if self.order == WeightOrder::InOut && self.groups != 1 {
            return Err(ShapeError::GroupsOfOrder { groups: self.groups });
        }
        for (axis, name) in [(0, "vertical"), (1, "horizontal")] {
            let overflow = ShapeError::Overflow { what: "the padded input" };
            let kernel = (self.kernel[axis] - 1)
                .checked_mul(self.dilation[axis])
                .and_then(|span| span.checked_add(1))
                .ok_or(overflow.clone())?;
            let input = self.padding[axis]
                .checked_mul(2)
                .and_then(|padding| padding.checked_add(self.extra_padding[axis]))
                .and_then(|padding| padding.checked_add(self.input[axis]))
                .ok_or(overflow)?;
            if kernel > input {
                return Err(ShapeError::KernelTooLarge { axis: name, kernel, input });
            }
        }
        checked_product("the padded input", &[self.batch, self.in_channels, self.padded(0), self.padded(1)])?;
        checked_product(
            "the weight",
            &[self.out_channels, self.in_channels, self.kernel[0], self.kernel[1]],
        )?;
        let output = self.output();
        checked_product("the output", &[self.batch, self.out_channels, output[0], output[1]])
    }

    /// Height and width of the output; meaningful for a shape that [`validate`](Self::validate) accepts.
    #[must_use]
    pub fn output(&self) -> [usize; 2] {
        let size = |axis: usize| {
            let span = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            (self.padded(axis) - span) / self.stride[axis] + 1
        };
        [size(0), size(1)]
    }

    /// Height or width of the input with its zeros.
    fn padded(&self, axis: usize) -> usize {
        self.input[axis] + 2 * self.padding[axis] + self.extra_padding[axis]
    }

    /// Whether it is a linear layer, in either order of the weight: one tap reads the one pixel of each image.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.groups == 1
            && [self.padding, self.extra_padding] == [[0, 0]; 2]
            && [self.input, self.kernel] == [[1, 1]; 2]
    }

    /// Input channels of one group.
    #[must_use]
    pub fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Output channels of one group.
    #[must_use]
    pub fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    /// Values of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.input[0] * self.input[1] * self.in_channels
    }

    /// Values of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        let output = self.output();
        self.batch * output[0] * output[1] * self.out_channels
    }

    /// Values of the weight.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.group_in() * self.kernel[0] * self.kernel[1]
    }

    /// Multiplications and additions of one forward pass (also of either gradient).
    #[must_use]
    pub fn flops(&self) -> u64 {
        2 * self.output_len() as u64 * (self.group_in() * self.kernel[0] * self.kernel[1]) as u64
    }
}

/// Fail unless the product of `sizes` floats can be addressed.
fn checked_product(what: &'static str, sizes: &[usize]) -> Result<(), ShapeError> {
    let bytes = sizes.iter().try_fold(size_of::<f32>(), |product, size| product.checked_mul(*size));
    match bytes {
        Some(bytes) if bytes <= isize::MAX as usize / 64 => Ok(()),
        _ => Err(ShapeError::Overflow { what }),
    }
}

/// Fail unless a slice has the length its shape says.
pub(crate) fn check_len(what: &'static str, got: usize, expected: usize) -> Result<(), ShapeError> {
    if got == expected { Ok(()) } else { Err(ShapeError::Length { what, expected, got }) }
}
