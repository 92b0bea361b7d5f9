//! Sums over the pixels of every chunk.

use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::chunks::Chunks;
use crate::cpu::activation::relu_gradient;
use crate::cpu::engine::Engine;
use crate::cpu::simd::{F32s, add, lanes, load_first, mul, mul_add, splat, store_first, sub};

/// Registers of channels that are summed side by side.
const BLOCK_REGISTERS: usize = 4;

/// Pixels that are summed by themselves before they are added to the chunk's sum: fewer additions that follow one another
/// round less. PyTorch adds in f64.
const GROUP_PIXELS: usize = 16;

/// Two sums for each channel of each chunk: `[chunk][2][channels]`.
pub(super) fn sums(engine: Engine, chunks: Chunks, terms: Terms<'_>) -> Vec<f32> {
    let channels = chunks.channels;
    let mut sums = vec![0.0; chunks.count() * 2 * channels];
    sums.par_chunks_exact_mut(2 * channels).enumerate().for_each(|(index, target)| {
        engine.isa.run(SumChunk { terms, channels, pixels: chunks.chunk(index), target });
    });
    sums
}

/// What is summed over the pixels of a chunk.
#[derive(Clone, Copy)]
pub(super) enum Terms<'a> {
    /// Values; then tiles_at of their distance from the chunk's own mean.
    Deviations { input: &'a [f32] },
    /// Gradients (where ReLU's results are positive); then their products with the deviations from the mean.
    Gradient { gradient: &'a [f32], results: Option<&'a [f32]>, input: &'a [f32], mean: &'a [f32] },
}

#[inline(always)]
fn add_to<S: Simd, const V: usize>(sums: &mut [F32s<S>; V], parts: [F32s<S>; V]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum = add::<S>(*sum, part);
    }
}

/// The sums of one chunk.
struct SumChunk<'a> {
    terms: Terms<'a>,
    channels: usize,
    pixels: Range<usize>,
    target: &'a mut [f32],
}

impl WithSimd for SumChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self) {
        let (width, mut channel) = (lanes::<S>(), 0);
        while channel < self.channels {
            let left = self.channels - channel;
            // SAFETY: `left` channels exist from `channel` on.
            unsafe {
                if left >= BLOCK_REGISTERS * width {
                    self.block::<S, BLOCK_REGISTERS>(channel, width);
                    channel += BLOCK_REGISTERS * width;
                } else {
                    self.block::<S, 1>(channel, left.min(width));
                    channel += width;
                }
            }
        }
    }
}

impl SumChunk<'_> {
    /// Sums of `V` registers of channels; `count` of the last register's exist.
    ///
    /// # Safety
    /// These channels must exist.
    #[inline(always)]
    unsafe fn block<S: Simd, const V: usize>(&mut self, channel: usize, count: usize) {
        let (width, zero) = (lanes::<S>(), splat::<S>(0.0));
        let start = self.pixels.start * self.channels + channel;
        let pixels = self.pixels.len();
        let mut first = [zero; V];
        let mut second = [zero; V];
        let groups = || (0..pixels).step_by(GROUP_PIXELS).map(|from| from..pixels.min(from + GROUP_PIXELS));
        // SAFETY: every pixel of the chunk has the block's channels in each of the arrays, which the
        // callers have found to be equally long.
        unsafe {
            match self.terms {
                Terms::Deviations { input } => {
                    let input = input.as_ptr().add(start);
                    for group in groups() {
                        let mut part = [zero; V];
                        for pixel in group {
                            for (v, sum) in part.iter_mut().enumerate() {
                                let at = pixel * self.channels + v * width;
                                *sum = add::<S>(*sum, load_first::<S>(input.add(at), count));
                            }
                        }
                        add_to::<S, V>(&mut first, part);
                    }
                    let share = splat::<S>(1.0 / pixels as f32);
                    for group in groups() {
                        let mut part = [zero; V];
                        for pixel in group {
                            for (v, sum) in part.iter_mut().enumerate() {
                                let at = pixel * self.channels + v * width;
                                let value = load_first::<S>(input.add(at), count);
                                let deviation = sub::<S>(value, mul::<S>(first[v], share));
                                *sum = mul_add::<S>(deviation, deviation, *sum);
                            }
                        }
                        add_to::<S, V>(&mut second, part);
                    }
                }
                Terms::Gradient { gradient, results, input, mean } => {
                    let (gradient, input) = (gradient.as_ptr().add(start), input.as_ptr().add(start));
                    let results = results.map(|results| results.as_ptr().add(start));
                    for group in groups() {
                        let (mut part, mut products) = ([zero; V], [zero; V]);
                        for pixel in group {
                            for v in 0..V {
                                let at = pixel * self.channels + v * width;
                                let mut value = load_first::<S>(gradient.add(at), count);
                                if let Some(results) = results {
                                    value = relu_gradient::<S>(value, load_first(results.add(at), count));
                                }
                                let mean = load_first::<S>(mean.as_ptr().add(channel + v * width), count);
                                let deviation = sub::<S>(load_first::<S>(input.add(at), count), mean);
                                part[v] = add::<S>(part[v], value);
                                products[v] = mul_add::<S>(value, deviation, products[v]);
                            }
                        }
                        add_to::<S, V>(&mut first, part);
                        add_to::<S, V>(&mut second, products);
                    }
                }
            }
            for (v, (first, second)) in first.into_iter().zip(second).enumerate() {
                let target = self.target.as_mut_ptr().add(channel + v * width);
                store_first::<S>(target, first, count);
                store_first::<S>(target.add(self.channels), second, count);
            }
        }
    }
}
