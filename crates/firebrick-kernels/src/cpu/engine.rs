//! The public entry to the kernels: checks lengths, chooses the algorithm, allocates the result.

use std::sync::OnceLock;

use super::few_rows::{self, FewRows};
use super::isa::Isa;
use super::pack::Direction;
use super::scratch::{Scratch, SharedOut, new_filled};
use super::shape::{ConvShape, ShapeError, check_len};
use super::share::{both, share, threads_for_floats};
use super::source::{CopyRows, Finish, Source, SourceImages, Target};
use super::tile_form::TileForm;
use super::{depthwise, direct, linear, weight_grad, winograd};

/// The environment variable that switches Winograd's algorithm off when it is `0`.
pub const WINOGRAD_VARIABLE: &str = "FIREBRICK_WINOGRAD";

/// What the kernels may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The vector instructions.
    pub isa: Isa,
    /// The form of the widest registers' tiles.
    pub tiles: TileForm,
    /// Whether Winograd's algorithm may be chosen where it is faster.
    pub winograd: bool,
}

/// What is applied to a convolution's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
}

/// Results of a convolution after 2x2 max pooling with stride 2.
#[derive(Clone, Debug, Default)]
pub struct Pooled {
    /// The largest of every four, NHWC, half the height and width (rounded down).
    pub values: Vec<f32>,
    /// Which of the four it was (row by row), as a float; 4.0 where ReLU made it zero.
    pub codes: Vec<f32>,
}

/// The gradient that arrives at a convolution from behind.
#[derive(Clone, Copy, Debug)]
pub enum OutputGradient<'a> {
    /// Of the convolution's own results.
    Plain(&'a [f32]),
    /// Of the results of ReLU behind it; the second slice holds these results.
    AfterRelu(&'a [f32], &'a [f32]),
    /// Of the results of (ReLU and) 2x2 max pooling behind it; the second slice holds the codes.
    Pooled(&'a [f32], &'a [f32]),
}

/// Parameters of a convolution whose gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// The weight alone: there is no bias, or it is not trained.
    Weight,
    /// Both.
    WeightAndBias,
}

/// Gradients of a convolution's parameters.
#[derive(Clone, Debug)]
pub struct ConvGradients {
    /// In the shape's [`ConvShape::order`].
    pub weight: Vec<f32>,
    /// `[out]`, if it was wanted.
    pub bias: Option<Vec<f32>>,
}

/// Which gradients of a convolution are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether the input's is.
    pub input: bool,
    /// Which parameters' are.
    pub parameters: Option<Parameters>,
}

/// Everything about a convolution, or the gradient of its input, but the engine.
#[derive(Clone, Copy)]
pub(super) struct Convolution<'a> {
    pub(super) shape: &'a ConvShape,
    pub(super) direction: Direction,
    pub(super) source: SourceImages<'a>,
    pub(super) weight: &'a [f32],
    /// One value for each produced channel.
    pub(super) bias: Option<&'a [f32]>,
    pub(super) finish: Finish,
    pub(super) target: Target,
}

impl Default for Engine {
    fn default() -> Self {
        Self::current()
    }
}

impl Engine {
    /// The engine for this machine and environment ([`ISA_VARIABLE`](super::ISA_VARIABLE),
    /// [`TILES_VARIABLE`](super::TILES_VARIABLE), [`WINOGRAD_VARIABLE`]).
    #[must_use]
    pub fn current() -> Self {
        static WINOGRAD: OnceLock<bool> = OnceLock::new();
        let winograd =
            *WINOGRAD.get_or_init(|| std::env::var(WINOGRAD_VARIABLE).is_ok_and(|value| value == "0"));
        Self { isa: Isa::current(), tiles: TileForm::current(), winograd: !winograd }
    }

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
        activation: Activation,
    ) -> Result<Vec<f32>, ShapeError> {
        check_forward(shape, input, weight, bias)?;
        let source =
            SourceImages { values: Source::Plain(input), size: shape.input, channels: shape.in_channels };
        // SAFETY: a forward pass writes every value of the output.
        Ok(unsafe {
            new_filled(shape.output_len(), |values| {
                let target = Target { values, codes: None };
                let (direction, finish) = (Direction::Forward, finish(activation));
                self.convolve(Convolution { shape, direction, source, weight, bias, finish, target });
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
        activation: Activation,
    ) -> Result<Pooled, ShapeError> {
        check_forward(shape, input, weight, bias)?;
        let len = pooled_len(shape)?;
        let source =
            SourceImages { values: Source::Plain(input), size: shape.input, channels: shape.in_channels };
        let mut codes = Vec::with_capacity(len);
        let code_target = SharedOut::new(codes.as_mut_ptr());
        // SAFETY: a pooled forward pass writes every value and every code; both have room for `len`.
        unsafe {
            let values = new_filled(len, |values| {
                let target = Target { values, codes: Some(code_target) };
                let (direction, finish) = (Direction::Forward, finish(activation));
                self.convolve(Convolution { shape, direction, source, weight, bias, finish, target });
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
                let (direction, bias, finish) = (Direction::InputGradient, None, Finish::Plain);
                self.convolve(Convolution { shape, direction, source, weight, bias, finish, target });
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
        let source =
            SourceImages { values: Source::Plain(input), size: shape.input, channels: shape.in_channels };
        let gradient = gradient_source(shape, gradient)?;
        Ok(if few_rows::applies(shape) {
            few_rows::run_weight_gradient(self, shape, input, gradient, parameters)
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
        let is_shared = shape.is_linear() && !few_rows::applies(shape);
        let rows;
        let gradient = match gradient {
            OutputGradient::AfterRelu(..) if is_shared => {
                // The items of a linear layer have some channels of all rows: each would bring all rows to itself.
                rows = self.plain_rows(gradient_source(shape, gradient)?, shape.batch);
                OutputGradient::Plain(&rows)
            }
            _ => gradient,
        };
        let of_input = || self.input_gradient(shape, gradient, weight);
        let of_parameters = |parameters| self.weight_gradient(shape, input, gradient, parameters);
        Ok(match (wanted.input, wanted.parameters) {
            (true, Some(parameters)) => {
                let (of_input, of_parameters) = both(shape, of_input, || of_parameters(parameters));
                (Some(of_input?), Some(of_parameters?))
            }
            (true, None) => (Some(of_input()?), None),
            (false, Some(parameters)) => (None, Some(of_parameters(parameters)?)),
            (false, None) => (None, None),
        })
    }

    /// The images of a source, one pixel each, with what lies behind the layer taken into account.
    pub(super) fn plain_rows(self, source: SourceImages<'_>, rows: usize) -> Scratch {
        let mut copy = Scratch::take(rows * source.channels);
        let threads = threads_for_floats(copy.len());
        let chunk = rows.div_ceil(threads);
        let chunks = copy.chunks_mut(chunk * source.channels).enumerate().collect();
        share(chunks, threads, |(index, target)| {
            self.isa.run(CopyRows { source, first: index * chunk, target });
        });
        copy
    }

    /// Convolve by the algorithm that suits the shape.
    ///
    /// # Safety
    /// As for [`direct::run`].
    unsafe fn convolve(self, convolution: Convolution<'_>) {
        let Convolution { shape, direction, target, .. } = convolution;
        // SAFETY: forwarded to the caller.
        unsafe {
            if few_rows::applies(shape) {
                self.isa.run(FewRows { convolution });
            } else if linear::applies(self, shape, direction) {
                linear::run(self, convolution);
            } else if depthwise::applies(shape) && target.codes.is_none() {
                depthwise::run(self, convolution);
            } else if self.winograd && winograd::applies(shape, direction) {
                winograd::run(self, convolution);
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

/// The kernels' name for an activation.
fn finish(activation: Activation) -> Finish {
    match activation {
        Activation::None => Finish::Plain,
        Activation::Relu => Finish::Relu,
    }
}
