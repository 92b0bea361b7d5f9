//! Layer normalisation of rows, forward and backward: the channels of a pixel, or the features of an image.
//!
//! A row is summed in a fixed number of partial sums, and the gradients of weight and bias in chunks of rows that depend on
//! the row's length alone, so results depend neither on the number of threads nor on the width of the registers.

use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::engine::Engine;
use super::scratch::{SharedOut, new_filled};
use super::shape::{ShapeError, check_len};

/// Partial sums of a row: enough for several registers, so that an addition need not wait for the one before.
const PARTIAL_SUMS: usize = 32;

/// Floats of a chunk.
const CHUNK_FLOATS: usize = 1 << 14;

/// Rows whose gradients are summed by themselves before they are added to the chunk's sum, which rounds less.
const GROUP_ROWS: usize = 16;

/// What layer normalisation gives.
#[derive(Clone, Debug)]
pub struct LayerNormed {
    /// The normalised rows, scaled and shifted.
    pub values: Vec<f32>,
    /// Mean and `1 / sqrt(variance + eps)` of each row.
    pub statistics: Vec<[f32; 2]>,
}

/// Gradients of layer normalisation.
#[derive(Clone, Debug)]
pub struct LayerNormGradients {
    /// Of the input, row by row.
    pub input: Vec<f32>,
    /// `[channels]`.
    pub weight: Vec<f32>,
    /// `[channels]`.
    pub bias: Vec<f32>,
}

impl Engine {
    /// `(row - mean) / sqrt(variance + eps) * weight + bias` of every row, with the biased variance.
    ///
    /// # Shapes
    /// `input` `[rows, channels]`, `weight` and `bias` `[channels]`.
    ///
    /// # Errors
    /// No channels, or slices of other lengths than their shapes.
    pub fn layer_norm(
        self,
        input: &[f32],
        weight: &[f32],
        bias: &[f32],
        eps: f64,
    ) -> Result<LayerNormed, ShapeError> {
        let rows = Rows::of(weight.len(), input)?;
        check_len("the bias", bias.len(), rows.channels)?;
        let mut statistics = vec![[0.0f32; 2]; rows.count];
        let chunk_rows = rows.chunk_rows();
        // SAFETY: the chunks cover all rows, and each writes all of its own.
        let values = unsafe {
            new_filled(input.len(), |target| {
                statistics.par_chunks_mut(chunk_rows).enumerate().for_each(|(index, statistics)| {
                    let floats = rows.floats(index);
                    let target = SharedOut::new(target.get().add(floats.start));
                    self.isa.run(Forward { input: &input[floats], weight, bias, eps, statistics, target });
                });
            })
        };
        Ok(LayerNormed { values, statistics })
    }

    /// Gradients of layer normalisation.
    ///
    /// # Shapes
    /// `gradient` and `input` `[rows, channels]`, `statistics` as [`layer_norm`](Self::layer_norm) gave them.
    ///
    /// # Errors
    /// As [`layer_norm`](Self::layer_norm).
    pub fn layer_norm_gradient(
        self,
        gradient: &[f32],
        input: &[f32],
        statistics: &[[f32; 2]],
        weight: &[f32],
    ) -> Result<LayerNormGradients, ShapeError> {
        let rows = Rows::of(weight.len(), input)?;
        check_len("the output's gradient", gradient.len(), input.len())?;
        check_len("the statistics", statistics.len(), rows.count)?;
        let channels = rows.channels;
        let mut sums = vec![0.0f32; rows.num_chunks() * 2 * channels];
        // SAFETY: the chunks cover all rows, and each writes all of its own.
        let of_input = unsafe {
            new_filled(input.len(), |target| {
                sums.par_chunks_exact_mut(2 * channels).enumerate().for_each(|(index, sums)| {
                    let floats = rows.floats(index);
                    let target = SharedOut::new(target.get().add(floats.start));
                    let (gradient, input) = (&gradient[floats.clone()], &input[floats.clone()]);
                    let statistics = &statistics[floats.start / channels..floats.end / channels];
                    self.isa.run(Backward { gradient, input, statistics, weight, sums, target });
                });
            })
        };
        let mut totals = vec![0.0f64; 2 * channels];
        for chunk in sums.chunks_exact(2 * channels) {
            totals.iter_mut().zip(chunk).for_each(|(total, sum)| *total += f64::from(*sum));
        }
        let (of_weight, of_bias) = totals.split_at(channels);
        let [weight, bias] = [of_weight, of_bias].map(|sums| sums.iter().map(|sum| *sum as f32).collect());
        Ok(LayerNormGradients { input: of_input, weight, bias })
    }
}

/// How rows are cut into chunks.
#[derive(Clone, Copy)]
struct Rows {
    channels: usize,
    count: usize,
}

impl Rows {
    fn of(channels: usize, input: &[f32]) -> Result<Self, ShapeError> {
        if channels == 0 {
            return Err(ShapeError::Zero { what: "channels" });
        }
        let count = input.len() / channels;
        check_len("the input", input.len(), count * channels)?;
        Ok(Self { channels, count })
    }

    /// Rows of every chunk but the last.
    fn chunk_rows(&self) -> usize {
        (CHUNK_FLOATS / self.channels).clamp(8, 256)
    }

    fn num_chunks(&self) -> usize {
        self.count.div_ceil(self.chunk_rows())
    }

    fn floats(&self, chunk: usize) -> Range<usize> {
        let rows = self.chunk_rows();
        chunk * rows * self.channels..((chunk + 1) * rows).min(self.count) * self.channels
    }
}

// The loops below are plain: the compiler makes vectors of them, for the instruction set that it is told to compile them
// for. Products and sums are rounded one by one.

/// The sum of `term` over a row.
#[inline(always)]
fn sum_of_row(len: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut sums = [0.0f32; PARTIAL_SUMS];
    let whole = len - len % PARTIAL_SUMS;
    for start in (0..whole).step_by(PARTIAL_SUMS) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    for at in whole..len {
        sums[at - whole] += term(at);
    }
    let mut width = PARTIAL_SUMS / 2;
    while width > 0 {
        let (low, high) = sums.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(&*high) {
            *low += high;
        }
        width /= 2;
    }
    sums[0]
}

/// A chunk of rows; `target` has room for as many floats as the input has.
struct Forward<'a> {
    input: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f64,
    statistics: &'a mut [[f32; 2]],
    target: SharedOut,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { input, weight, bias, eps, statistics, target } = self;
        let channels = weight.len();
        let bias = &bias[..channels];
        for (index, (row, found)) in input.chunks_exact(channels).zip(statistics).enumerate() {
            let mean = sum_of_row(channels, |at| row[at]) / channels as f32;
            let squares = sum_of_row(channels, |at| (row[at] - mean) * (row[at] - mean));
            let variance = f64::from(squares) / channels as f64;
            let scale = (1.0 / (variance + eps).sqrt()) as f32;
            *found = [mean, scale];
            // SAFETY: this row of the target is the chunk's own, and nothing reads it before it is written.
            let target = unsafe { target.get().add(index * channels) };
            for at in 0..channels {
                let value = (row[at] - mean) * scale * weight[at] + bias[at];
                // SAFETY: as above.
                unsafe { target.add(at).write(value) };
            }
        }
    }
}

/// A chunk of rows; `sums` `[2, channels]` are the gradients of weight and bias.
struct Backward<'a> {
    gradient: &'a [f32],
    input: &'a [f32],
    statistics: &'a [[f32; 2]],
    weight: &'a [f32],
    sums: &'a mut [f32],
    target: SharedOut,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { gradient, input, statistics, weight, sums, target } = self;
        let channels = weight.len();
        let mut group = vec![0.0f32; 2 * channels];
        let rows = gradient.chunks_exact(channels).zip(input.chunks_exact(channels)).zip(statistics);
        for (index, ((gradient, row), [mean, scale])) in rows.enumerate() {
            let (of_weight, of_bias) = group.split_at_mut(channels);
            let (of_weight, of_bias) = (&mut of_weight[..channels], &mut of_bias[..channels]);
            let normal = |at: usize| (row[at] - mean) * scale;
            let sum = sum_of_row(channels, |at| gradient[at] * weight[at]);
            let product = sum_of_row(channels, |at| gradient[at] * weight[at] * normal(at));
            let [share, projection] = [sum, product].map(|sum| sum / channels as f32);
            // SAFETY: this row of the target is the chunk's own, and nothing reads it before it is written.
            let target = unsafe { target.get().add(index * channels) };
            for at in 0..channels {
                let normal = normal(at);
                of_weight[at] += gradient[at] * normal;
                of_bias[at] += gradient[at];
                let value = (gradient[at] * weight[at] - share - normal * projection) * scale;
                // SAFETY: as above.
                unsafe { target.add(at).write(value) };
            }
            if (index + 1) % GROUP_ROWS == 0 {
                add_and_clear(sums, &mut group);
            }
        }
        add_and_clear(sums, &mut group);
    }
}

#[inline(always)]
fn add_and_clear(sums: &mut [f32], group: &mut [f32]) {
    for (sum, part) in sums.iter_mut().zip(group) {
        *sum += *part;
        *part = 0.0;
    }
}
