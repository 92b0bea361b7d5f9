//! Linear layers for so few rows that they are products of a matrix with vectors (BLAS's gemv): packing the weight would cost
//! more than the arithmetic, so the weight, `[in, out]`, is read once and where it lies.
//!
//! The order of additions is fixed by the shape alone, see each function; one thread does it all.

use macerator::{Simd, WithSimd};

use super::activation::{FusedActivation, relu};
use super::engine::Engine;
use super::problem::{ConvGradients, Convolution, Parameters};
use super::scratch::{Scratch, SharedOut, new_filled};
use super::shape::{ConvShape, Direction, WeightOrder};
use super::simd::{F32s, add, each, lanes, load_from, mul_add, splat, store, store_first};
use super::source::{CopyRows, Source, SourceImages};

/// Rows up to which the three passes together are about as fast as those of a convolution, or faster.
const MAX_ROWS: usize = 4;

/// Registers of outputs that are summed at once.
const REGISTERS: usize = 4;

/// Partial sums of one scalar product, whatever the register width. Part of the order of additions.
const PARTIAL_SUMS: usize = 16;

/// Whether a layer is computed here.
pub(crate) fn applies(shape: &ConvShape) -> bool {
    shape.is_linear() && shape.order == WeightOrder::InOut && shape.batch <= MAX_ROWS
}

/// A layer in one direction.
pub(crate) struct Gemv<'a> {
    pub(crate) convolution: Convolution<'a>,
}

impl WithSimd for Gemv<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let copy;
        let source = match self.convolution.source.values {
            Source::Plain(values) => values,
            _ => {
                copy = plain::<S>(self.convolution.shape.batch, self.convolution.source);
                &copy
            }
        };
        match self.convolution.direction {
            Direction::Forward => self.forward::<S>(source),
            Direction::InputGradient => self.input_gradient::<S>(source),
        }
    }
}

impl Gemv<'_> {
    /// Each output is a sum over the inputs in their order, from the bias on.
    #[inline(always)]
    fn forward<S: Simd>(&self, input: &[f32]) {
        let (inputs, outputs) = (self.convolution.shape.in_channels, self.convolution.shape.out_channels);
        let width = lanes::<S>();
        for (row, input) in input.chunks_exact(inputs).enumerate() {
            for first in (0..outputs).step_by(REGISTERS * width) {
                let registers = (outputs - first).div_ceil(width);
                let at = |v: usize| first + v.min(registers - 1) * width;
                let bias = self.convolution.bias.unwrap_or(&[]);
                let mut sums: [F32s<S>; REGISTERS] = each(|v| match self.convolution.bias {
                    Some(_) => load_from::<S>(bias, at(v)),
                    None => splat::<S>(0.0),
                });
                for (value, weights) in input.iter().zip(self.convolution.weight.chunks_exact(outputs)) {
                    let value = splat::<S>(*value);
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = mul_add::<S>(value, load_from::<S>(weights, at(v)), *sum);
                    }
                }
                for (v, &sum) in sums.iter().enumerate().take(registers) {
                    let sum = match self.convolution.activation {
                        FusedActivation::None => sum,
                        FusedActivation::Relu => relu::<S>(sum),
                    };
                    let count = width.min(outputs - at(v));
                    // SAFETY: the row's outputs from `at(v)` on are the target's.
                    unsafe {
                        store_first::<S>(
                            self.convolution.target.values.get().add(row * outputs + at(v)),
                            sum,
                            count,
                        )
                    };
                }
            }
        }
    }

    /// Each result is a scalar product: partial sums, 16 apart, that are added pair by pair.
    #[inline(always)]
    fn input_gradient<S: Simd>(&self, gradient: &[f32]) {
        let (inputs, outputs) = (self.convolution.shape.in_channels, self.convolution.shape.out_channels);
        let width = lanes::<S>();
        for (row, gradient) in gradient.chunks_exact(outputs).enumerate() {
            for (index, weights) in self.convolution.weight.chunks_exact(outputs).enumerate() {
                let mut partial = [0.0f32; PARTIAL_SUMS];
                for register in (0..PARTIAL_SUMS).step_by(width) {
                    let mut sum = splat::<S>(0.0);
                    for first in (register..outputs).step_by(PARTIAL_SUMS) {
                        let value = load_from::<S>(gradient, first);
                        sum = mul_add::<S>(value, load_from::<S>(weights, first), sum);
                    }
                    // SAFETY: a register's lanes divide the partial sums.
                    unsafe { store::<S>(partial.as_mut_ptr().add(register), sum) };
                }
                let eight: [f32; 8] = each(|i| partial[i] + partial[i + 8]);
                let four: [f32; 4] = each(|i| eight[i] + eight[i + 4]);
                let sum = (four[0] + four[2]) + (four[1] + four[3]);
                // SAFETY: the row's results are the target's.
                unsafe { self.convolution.target.values.get().add(row * inputs + index).write(sum) };
            }
        }
    }
}

/// Gradients of the weight, and of the bias if it is wanted.
pub(crate) fn run_weight_gradient(
    engine: Engine,
    shape: &ConvShape,
    input: &[f32],
    gradient: SourceImages<'_>,
    parameters: Parameters,
) -> ConvGradients {
    let mut bias = (parameters == Parameters::WeightAndBias).then(|| Vec::with_capacity(shape.out_channels));
    let of_bias = bias.as_mut().map(|bias| SharedOut::new(bias.as_mut_ptr()));
    // SAFETY: a weight gradient writes every value of what it is given, which has room for it.
    unsafe {
        let weight = new_filled(shape.weight_len(), |weight| {
            engine.isa.run(WeightGradient { shape, input, gradient, weight, bias: of_bias });
        });
        if let Some(bias) = &mut bias {
            bias.set_len(shape.out_channels);
        }
        ConvGradients { weight, bias }
    }
}

/// The gradients of a layer's parameters.
struct WeightGradient<'a> {
    shape: &'a ConvShape,
    input: &'a [f32],
    gradient: SourceImages<'a>,
    /// Room for the weight's gradient, and for the bias's.
    weight: SharedOut,
    bias: Option<SharedOut>,
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    /// Each value is a sum over the rows in their order.
    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let (inputs, outputs) = (self.shape.in_channels, self.shape.out_channels);
        let width = lanes::<S>();
        let gradient = plain::<S>(self.shape.batch, self.gradient);
        for first in (0..outputs).step_by(width) {
            let count = width.min(outputs - first);
            let rows: [F32s<S>; MAX_ROWS] = each(|row| {
                if row < self.shape.batch {
                    load_from::<S>(&gradient[row * outputs..][..outputs], first)
                } else {
                    splat::<S>(0.0)
                }
            });
            if let Some(bias) = self.bias {
                let mut total = splat::<S>(0.0);
                for row in rows.iter().take(self.shape.batch) {
                    total = add::<S>(total, *row);
                }
                // SAFETY: the bias's target has a value for every output.
                unsafe { store_first::<S>(bias.get().add(first), total, count) };
            }
            for input in 0..inputs {
                let mut sum = splat::<S>(0.0);
                for (row, gradient) in rows.iter().enumerate().take(self.shape.batch) {
                    sum = mul_add::<S>(splat::<S>(self.input[row * inputs + input]), *gradient, sum);
                }
                // SAFETY: the weight's has one for every output of every input.
                unsafe { store_first::<S>(self.weight.get().add(input * outputs + first), sum, count) };
            }
        }
    }
}

/// The rows of a source as an array.
#[inline(always)]
fn plain<S: Simd>(rows: usize, source: SourceImages<'_>) -> Scratch {
    let mut copy = Scratch::take(rows * source.channels);
    CopyRows { source, first: 0, target: &mut copy }.with_simd::<S>();
    copy
}
