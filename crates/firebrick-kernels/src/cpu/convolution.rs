//! The entry to convolutions and linear layers: checks lengths, chooses the algorithm, allocates the result.

use super::activation::FusedActivation;
use super::engine::Engine;
use super::gemv::{self, Gemv};
use super::parallel::join;
use super::problem::{ConvGradients, Convolution, OutputGradient, Parameters, Pooled, Target, Wanted};
use super::scratch::{SharedOut, new_filled};
use super::shape::{ConvShape, Direction, ShapeError, check_len};
use super::source::{Source, SourceImages, plain_rows};
use super::{batch_blocked, depthwise, direct, linear, weight_grad, winograd};

impl Engine {
    /// Convolution, bias and activation.
    ///
    /// # Shapes
    /// `input` NHWC, `weight` as [`ConvShape::order`] says, `bias` `[out]`; the result NHWC.
    ///
    /// # Errors
    /// A shape that [`ConvShape::validate`] refuses, or a slice whose length is not its shape's.
    pub fn forward(
        self,
        shape: &ConvShape,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        activation: FusedActivation,
    ) -> Result<Vec<f32>, ShapeError> {
        check_forward(shape, input, weight, bias)?;
        let source = input_source(shape, input);
        // SAFETY: a forward pass writes every value of the output.
        Ok(unsafe {
            new_filled(shape.output_len(), |values| {
                let target = Target { values, codes: None };
                let direction = Direction::Forward;
                self.convolve(Convolution { shape, direction, source, weight, bias, activation, target });
            })
        })
    }

    /// Convolution, bias, activation and 2x2 max pooling with stride 2, in one pass over memory.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward), the result at half the height and width, rounded down.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); also if the output is smaller than 2 by 2.
    pub fn forward_pooled(
        self,
        shape: &ConvShape,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        activation: FusedActivation,
    ) -> Result<Pooled, ShapeError> {
        check_forward(shape, input, weight, bias)?;
        let len = pooled_len(shape)?;
        let source = input_source(shape, input);
        let mut codes = Vec::with_capacity(len);
        let code_target = SharedOut::new(codes.as_mut_ptr());
        // SAFETY: a pooled forward pass writes every value and every code; both have room for `len`.
        unsafe {
            let values = new_filled(len, |values| {
                let target = Target { values, codes: Some(code_target) };
                let direction = Direction::Forward;
                self.convolve(Convolution { shape, direction, source, weight, bias, activation, target });
            });
            codes.set_len(len);
            Ok(Pooled { values, codes })
        }
    }

    /// Gradient of the input.
    ///
    /// # Shapes
    /// The gradient and the result NHWC, `weight` as [`ConvShape::order`] says.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn input_gradient(
        self,
        shape: &ConvShape,
        gradient: OutputGradient<'_>,
        weight: &[f32],
    ) -> Result<Vec<f32>, ShapeError> {
        shape.validate()?;
        check_len("the weight", weight.len(), shape.weight_len())?;
        let source = gradient_source(shape, gradient)?;
        // SAFETY: the passes of the input gradient together write every input pixel.
        Ok(unsafe {
            new_filled(shape.input_len(), |values| {
                let target = Target { values, codes: None };
                let (direction, bias, activation) = (Direction::InputGradient, None, FusedActivation::None);
                self.convolve(Convolution { shape, direction, source, weight, bias, activation, target });
            })
        })
    }

    /// Gradients of the weight, and of the bias if it is wanted.
    ///
    /// # Shapes
    /// `input` and the gradient NHWC.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn weight_gradient(
        self,
        shape: &ConvShape,
        input: &[f32],
        gradient: OutputGradient<'_>,
        parameters: Parameters,
    ) -> Result<ConvGradients, ShapeError> {
        shape.validate()?;
        check_len("the input", input.len(), shape.input_len())?;
        let source = input_source(shape, input);
        let gradient = gradient_source(shape, gradient)?;
        Ok(if gemv::applies(shape) {
            gemv::run_weight_gradient(self, shape, input, gradient, parameters)
        } else if depthwise::applies(shape) {
            depthwise::run_weight_gradient(self, shape, input, gradient, parameters)
        } else if self.winograd && winograd::applies(shape, Direction::Forward) {
            winograd::run_weight_gradient(self, shape, source, gradient, parameters)
        } else {
            weight_grad::run(self, shape, source, gradient, parameters)
        })
    }

    /// Gradients of the input and of parameters, those that are wanted.
    ///
    /// # Shapes
    /// As [`input_gradient`](Self::input_gradient) and [`weight_gradient`](Self::weight_gradient).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn gradients(
        self,
        shape: &ConvShape,
        input: &[f32],
        weight: &[f32],
        gradient: OutputGradient<'_>,
        wanted: Wanted,
    ) -> Result<(Option<Vec<f32>>, Option<ConvGradients>), ShapeError> {
        shape.validate()?;
        let is_shared = shape.is_linear() && !gemv::applies(shape);
        let rows;
        let gradient = match gradient {
            OutputGradient::AfterRelu(..) if is_shared => {
                // The items of a linear layer have some channels of all rows: each of them would compute this again.
                rows = plain_rows(self, gradient_source(shape, gradient)?, shape.batch);
                OutputGradient::Plain(&rows)
            }
            _ => gradient,
        };
        let of_input = || self.input_gradient(shape, gradient, weight);
        let of_parameters = |parameters| self.weight_gradient(shape, input, gradient, parameters);
        Ok(match (wanted.input, wanted.parameters) {
            (true, Some(parameters)) => {
                let (of_input, of_parameters) = join(shape, of_input, || of_parameters(parameters));
                (Some(of_input?), Some(of_parameters?))
            }
            (true, None) => (Some(of_input()?), None),
            (false, Some(parameters)) => (None, Some(of_parameters(parameters)?)),
            (false, None) => (None, None),
        })
    }

    /// Convolve by the algorithm that suits the shape.
    ///
    /// # Safety
    /// The target must be writable for every value of the produced tensor, and not otherwise used meanwhile; it may ask for
    /// pooling only in the forward direction.
    unsafe fn convolve(self, convolution: Convolution<'_>) {
        let Convolution { shape, direction, target, .. } = convolution;
        // SAFETY: forwarded to the caller.
        unsafe {
            if gemv::applies(shape) {
                self.isa.run(Gemv { convolution });
            } else if linear::applies(self, shape, direction) {
                linear::run(self, convolution);
            } else if depthwise::applies(shape) && target.codes.is_none() {
                depthwise::run(self, convolution);
            } else if self.winograd && winograd::applies(shape, direction) {
                winograd::run(self, convolution);
            } else if batch_blocked::applies(self, shape, direction) && target.codes.is_none() {
                batch_blocked::run(self, convolution);
            } else {
                direct::run(self, convolution);
            }
        }
    }
}

/// Check what every forward pass needs.
fn check_forward(
    shape: &ConvShape,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Result<(), ShapeError> {
    shape.validate()?;
    check_len("the input", input.len(), shape.input_len())?;
    check_len("the weight", weight.len(), shape.weight_len())?;
    match bias {
        Some(bias) => check_len("the bias", bias.len(), shape.out_channels),
        None => Ok(()),
    }
}

/// Values after 2x2 max pooling.
fn pooled_len(shape: &ConvShape) -> Result<usize, ShapeError> {
    let [height, width] = shape.output().map(|size| size / 2);
    for (what, size) in [("pooled height", height), ("pooled width", width)] {
        if size == 0 {
            return Err(ShapeError::Zero { what });
        }
    }
    Ok(shape.batch * height * width * shape.out_channels)
}

/// The kernels' view of an input.
fn input_source<'a>(shape: &ConvShape, input: &'a [f32]) -> SourceImages<'a> {
    SourceImages { values: Source::Plain(input), size: shape.input, channels: shape.in_channels }
}

/// The kernels' view of a gradient, with its lengths checked.
fn gradient_source<'a>(
    shape: &ConvShape,
    gradient: OutputGradient<'a>,
) -> Result<SourceImages<'a>, ShapeError> {
    let (values, size, lengths) = match gradient {
        OutputGradient::Plain(values) => (Source::Plain(values), shape.output(), [values.len(); 2]),
        OutputGradient::AfterRelu(values, results) => {
            (Source::AfterRelu(values, results), shape.output(), [values.len(), results.len()])
        }
        OutputGradient::Pooled(values, codes) => {
            pooled_len(shape)?;
            (Source::Pooled(values, codes), shape.output().map(|size| size / 2), [values.len(), codes.len()])
        }
    };
    let expected = shape.batch * size[0] * size[1] * shape.out_channels;
    check_len("the output's gradient", lengths[0], expected)?;
    check_len("the results kept for the gradient", lengths[1], expected)?;
    Ok(SourceImages { values, size, channels: shape.out_channels })
}
