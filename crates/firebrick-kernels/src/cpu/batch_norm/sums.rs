//! Sums over the pixels of every chunk.

use std::marker::PhantomData;
use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::chunks::Chunks;
use super::known::Known;
use crate::cpu::activation::Activation;
use crate::cpu::engine::Engine;
use crate::cpu::functions::{Function, WithFunction, with_function};
use crate::cpu::simd::{F32s, add, lanes, load, load_first, mul, mul_add, splat, store_first, sub};

/// Registers of channels that are summed side by side.
const BLOCK_REGISTERS: usize = 4;

/// Pixels that are summed by themselves before they are added to the chunk's sum: fewer additions that follow one another
/// round less. PyTorch adds in f64.
const GROUP_PIXELS: usize = 16;

/// Two sums for each channel of each chunk, `[chunk][2][channels]`: values; then squares of their distance from the chunk's
/// own mean.
pub(super) fn deviation_sums(engine: Engine, chunks: Chunks, input: &[f32]) -> Vec<f32> {
    sums(engine, chunks, Deviations { input })
}

/// As [`deviation_sums`]: gradients before the activation; then their products with the deviations from the mean.
pub(super) fn gradient_sums(
    engine: Engine,
    chunks: Chunks,
    activation: Activation,
    [gradient, input]: [&[f32]; 2],
    known: Known<'_>,
) -> Vec<f32> {
    with_function(activation, GradientSums { engine, chunks, gradient, input, known })
}

struct GradientSums<'a> {
    engine: Engine,
    chunks: Chunks,
    gradient: &'a [f32],
    input: &'a [f32],
    known: Known<'a>,
}

impl WithFunction for GradientSums<'_> {
    type Output = Vec<f32>;

    fn with<F: Function>(self) -> Vec<f32> {
        let Self { engine, chunks, gradient, input, known } = self;
        let function = PhantomData::<F>;
        match known.results {
            Some(_) => sums(engine, chunks, Products::<F, true> { gradient, input, known, function }),
            None => sums(engine, chunks, Products::<F, false> { gradient, input, known, function }),
        }
    }
}

fn sums<T: Terms>(engine: Engine, chunks: Chunks, terms: T) -> Vec<f32> {
    let channels = chunks.channels;
    let mut sums = vec![0.0; chunks.count() * 2 * channels];
    sums.par_chunks_exact_mut(2 * channels).enumerate().for_each(|(index, target)| {
        engine.isa.run(SumChunk { terms, channels, pixels: chunks.chunk(index), target });
    });
    sums
}

/// What is summed over the pixels of a chunk.
trait Terms: Copy + Sync {
    /// Both sums of a block of channels.
    ///
    /// # Safety
    /// The block's channels must exist at these pixels.
    unsafe fn sums<S: Simd, const V: usize, const WHOLE: bool>(self, block: &Block) -> [[F32s<S>; V]; 2];
}

/// Some registers of channels of some pixels.
struct Block {
    pixels: Range<usize>,
    channels: usize,
    channel: usize,
    /// Channels of the last register that exist.
    count: usize,
}

impl Block {
    /// The pixels in groups.
    #[inline(always)]
    fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        let end = self.pixels.end;
        self.pixels.clone().step_by(GROUP_PIXELS).map(move |from| from..end.min(from + GROUP_PIXELS))
    }

    /// Where a register of a pixel lies.
    #[inline(always)]
    fn at<S: Simd>(&self, pixel: usize, v: usize) -> usize {
        pixel * self.channels + self.channel + v * lanes::<S>()
    }

    /// # Safety
    /// `at` must be one of the block's registers.
    #[inline(always)]
    unsafe fn load<S: Simd, const WHOLE: bool>(&self, values: &[f32], at: usize) -> F32s<S> {
        // SAFETY: granted by the caller.
        unsafe {
            let source = values.as_ptr().add(at);
            if WHOLE { load::<S>(source) } else { load_first::<S>(source, self.count) }
        }
    }
}

/// Values; then squares of their distance from the chunk's own mean.
#[derive(Clone, Copy)]
struct Deviations<'a> {
    input: &'a [f32],
}

impl Terms for Deviations<'_> {
    #[inline(always)]
    unsafe fn sums<S: Simd, const V: usize, const WHOLE: bool>(self, block: &Block) -> [[F32s<S>; V]; 2] {
        let zero = splat::<S>(0.0);
        let (mut first, mut second) = ([zero; V], [zero; V]);
        // SAFETY: granted by the caller.
        let load = |at| unsafe { block.load::<S, WHOLE>(self.input, at) };
        for group in block.groups() {
            let mut part = [zero; V];
            for pixel in group {
                for (v, sum) in part.iter_mut().enumerate() {
                    *sum = add::<S>(*sum, load(block.at::<S>(pixel, v)));
                }
            }
            add_to::<S, V>(&mut first, part);
        }
        let share = splat::<S>(1.0 / block.pixels.len() as f32);
        for group in block.groups() {
            let mut part = [zero; V];
            for pixel in group {
                for (v, sum) in part.iter_mut().enumerate() {
                    let value = load(block.at::<S>(pixel, v));
                    let deviation = sub::<S>(value, mul::<S>(first[v], share));
                    *sum = mul_add::<S>(deviation, deviation, *sum);
                }
            }
            add_to::<S, V>(&mut second, part);
        }
        [first, second]
    }
}

/// Gradients before the activation; then their products with the deviations from the mean.
struct Products<'a, F, const BY_RESULTS: bool> {
    gradient: &'a [f32],
    input: &'a [f32],
    known: Known<'a>,
    function: PhantomData<F>,
}

impl<F, const BY_RESULTS: bool> Clone for Products<'_, F, BY_RESULTS> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, const BY_RESULTS: bool> Copy for Products<'_, F, BY_RESULTS> {}

impl<F: Function, const BY_RESULTS: bool> Terms for Products<'_, F, BY_RESULTS> {
    #[inline(always)]
    unsafe fn sums<S: Simd, const V: usize, const WHOLE: bool>(self, block: &Block) -> [[F32s<S>; V]; 2] {
        let zero = splat::<S>(0.0);
        let (mut first, mut second) = ([zero; V], [zero; V]);
        for group in block.groups() {
            let (mut part, mut products) = ([zero; V], [zero; V]);
            for pixel in group {
                for v in 0..V {
                    let (at, channel) = (block.at::<S>(pixel, v), block.channel + v * lanes::<S>());
                    // SAFETY: granted by the caller.
                    unsafe {
                        let gradient = block.load::<S, WHOLE>(self.gradient, at);
                        let input = block.load::<S, WHOLE>(self.input, at);
                        let deviation = sub::<S>(input, self.known.mean.load(channel));
                        let count = if WHOLE { lanes::<S>() } else { block.count };
                        let value =
                            self.known.before::<S, F, BY_RESULTS>(gradient, deviation, at, channel, count);
                        part[v] = add::<S>(part[v], value);
                        products[v] = mul_add::<S>(value, deviation, products[v]);
                    }
                }
            }
            add_to::<S, V>(&mut first, part);
            add_to::<S, V>(&mut second, products);
        }
        [first, second]
    }
}

#[inline(always)]
fn add_to<S: Simd, const V: usize>(sums: &mut [F32s<S>; V], parts: [F32s<S>; V]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum = add::<S>(*sum, part);
    }
}

/// The sums of one chunk.
struct SumChunk<'a, T> {
    terms: T,
    channels: usize,
    pixels: Range<usize>,
    target: &'a mut [f32],
}

impl<T: Terms> WithSimd for SumChunk<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self) {
        let (width, mut channel) = (lanes::<S>(), 0);
        while channel < self.channels {
            let left = self.channels - channel;
            // SAFETY: `left` channels exist from `channel` on.
            unsafe {
                if left >= BLOCK_REGISTERS * width {
                    self.block::<S, BLOCK_REGISTERS, true>(channel, width);
                    channel += BLOCK_REGISTERS * width;
                } else if left >= width {
                    self.block::<S, 1, true>(channel, width);
                    channel += width;
                } else {
                    self.block::<S, 1, false>(channel, left);
                    channel += left;
                }
            }
        }
    }
}

impl<T: Terms> SumChunk<'_, T> {
    /// Sums of `V` registers of channels; `count` of the last register's exist.
    ///
    /// # Safety
    /// These channels must exist.
    #[inline(always)]
    unsafe fn block<S: Simd, const V: usize, const WHOLE: bool>(&mut self, channel: usize, count: usize) {
        let block = Block { pixels: self.pixels.clone(), channels: self.channels, channel, count };
        // SAFETY: every pixel of the chunk has the block's channels in each of the arrays, which the callers have found to
        // be equally long.
        unsafe {
            let [first, second] = self.terms.sums::<S, V, WHOLE>(&block);
            for (v, (first, second)) in first.into_iter().zip(second).enumerate() {
                let target = self.target.as_mut_ptr().add(channel + v * lanes::<S>());
                store_first::<S>(target, first, count);
                store_first::<S>(target.add(self.channels), second, count);
            }
        }
    }
}
