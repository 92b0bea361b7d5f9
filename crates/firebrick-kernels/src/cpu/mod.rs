//! The kernels themselves, on plain slices of f32, without Burn.

mod direct;
mod isa;
mod pack;
mod pass;
mod scratch;
mod shape;
mod simd;
mod tile;
mod weight_grad;
mod window;
mod winograd;

use direct::{Finish, Source, SourceImages};
pub use isa::{ISA_VARIABLE, Isa};
use pack::Direction;
use scratch::new_filled;
use shape::check_len;
pub use shape::{ConvShape, ShapeError};

/// What the kernels may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The vector instructions.
    pub isa: Isa,
    /// Whether Winograd's algorithm may be chosen where it is faster.
    pub winograd: bool,
}

impl Engine {
    /// The engine for this machine and environment.
    #[must_use]
    pub fn current() -> Self {
        Self { isa: Isa::current(), winograd: true }
    }

    /// Convolution.
    pub fn forward(self, shape: &ConvShape, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Result<Vec<f32>, ShapeError> {
        shape.validate()?;
        check_len("the input", input.len(), shape.input_len())?;
        check_len("the weight", weight.len(), shape.weight_len())?;
        if let Some(bias) = bias {
            check_len("the bias", bias.len(), shape.out_channels)?;
        }
        let source = SourceImages { values: Source::Plain(input), size: shape.input, channels: shape.in_channels };
        // SAFETY: `run` writes every value of the output.
        Ok(unsafe {
            new_filled(shape.output_len(), |target| {
                self.convolve(shape, Direction::Forward, source, weight, bias, Finish::Plain, target);
            })
        })
    }

    /// Gradient of the input.
    pub fn input_gradient(self, shape: &ConvShape, gradient: &[f32], weight: &[f32]) -> Result<Vec<f32>, ShapeError> {
        shape.validate()?;
        check_len("the output's gradient", gradient.len(), shape.output_len())?;
        check_len("the weight", weight.len(), shape.weight_len())?;
        let source = SourceImages { values: Source::Plain(gradient), size: shape.output(), channels: shape.out_channels };
        // SAFETY: the passes of the input gradient cover every input pixel once.
        Ok(unsafe {
            new_filled(shape.input_len(), |target| {
                self.convolve(shape, Direction::InputGradient, source, weight, None, Finish::Plain, target);
            })
        })
    }

    /// Gradients of weight and bias.
    pub fn weight_gradient(self, shape: &ConvShape, input: &[f32], gradient: &[f32]) -> Result<(Vec<f32>, Vec<f32>), ShapeError> {
        shape.validate()?;
        check_len("the input", input.len(), shape.input_len())?;
        check_len("the output's gradient", gradient.len(), shape.output_len())?;
        let input = SourceImages { values: Source::Plain(input), size: shape.input, channels: shape.in_channels };
        let gradient = SourceImages { values: Source::Plain(gradient), size: shape.output(), channels: shape.out_channels };
        if self.winograd && winograd::applies(shape, Direction::Forward) {
            return Ok(winograd::run_weight_gradient(self, shape, input, gradient));
        }
        Ok(weight_grad::run(self, shape, input, gradient))
    }

    /// Convolve by the algorithm that suits the shape.
    ///
    /// # Safety
    /// As for [`direct::run`].
    #[allow(clippy::too_many_arguments)]
    unsafe fn convolve(
        self,
        shape: &ConvShape,
        direction: Direction,
        source: SourceImages<'_>,
        weight: &[f32],
        bias: Option<&[f32]>,
        finish: Finish,
        target: scratch::SharedOut,
    ) {
        // SAFETY: forwarded to the caller.
        unsafe {
            if self.winograd && winograd::applies(shape, direction) {
                winograd::run(self, shape, direction, source, weight, bias, finish, target);
            } else {
                direct::run(self, shape, direction, source, weight, bias, finish, target);
            }
        }
    }
}
