//! Batch normalisation of NHWC arrays: statistics of the channels, normalisation with what follows it, gradients.
//!
//! An array is walked in chunks of pixels whose size depends on the number of channels alone, and
//! chunks are added up in their order, so results do not depend on the number of threads. Within a
//! chunk the lanes run along channels, so they do not depend on the width of the registers either.

use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::engine::{Activation, Engine};
use super::scratch::{SharedOut, new_filled};
use super::shape::{ShapeError, check_len};
use super::simd::{F32s, add, lanes, load, load_first, mul, mul_add, splat, store_first, sub};

/// Floats of a chunk: few enough to be found in the second-level cache when they are read again.
const CHUNK_FLOATS: usize = 1 << 14;

/// Registers of channels that are summed side by side.
const BLOCK: usize = 4;

/// Lanes of the widest register: how far [`Cyclic`] values go round.
const WIDEST: usize = 16;

/// Mean and variance of every channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelStatistics {
    /// Means.
    pub mean: Vec<f32>,
    /// Variances, divided by the number of values (biased).
    pub variance: Vec<f32>,
}

/// How values are normalised: `(x - mean) / sqrt(variance + eps) * weight + bias`; all `[channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Normalisation<'a> {
    /// Means.
    pub mean: &'a [f32],
    /// Variances.
    pub variance: &'a [f32],
    /// Factors.
    pub weight: &'a [f32],
    /// Keeps the division away from zero.
    pub eps: f64,
}

/// Gradients of a normalisation.
#[derive(Clone, Debug)]
pub struct NormGradients {
    /// Of the input, NHWC.
    pub input: Vec<f32>,
    /// Of what was added, NHWC: the arriving gradient behind the activation.
    pub residual: Option<Vec<f32>>,
    /// `[channels]`.
    pub weight: Vec<f32>,
    /// `[channels]`.
    pub bias: Vec<f32>,
}

/// What a gradient is computed from.
#[derive(Clone, Copy, Debug)]
pub struct NormSaved<'a> {
    /// The input, NHWC.
    pub input: &'a [f32],
    /// ReLU's results, NHWC, if there was one.
    pub results: Option<&'a [f32]>,
    /// Whether mean and variance are those of `input`, so that it has a gradient through them too.
    pub own_statistics: bool,
    /// Whether something was added whose gradient is wanted.
    pub residual: bool,
}

impl Engine {
    /// Mean and biased variance of every channel of an NHWC array.
    ///
    /// # Errors
    /// No channels, or a length that is not a multiple of them.
    pub fn channel_statistics(self, channels: usize, input: &[f32]) -> Result<ChannelStatistics, ShapeError> {
        let walk = Walk::new(channels, input)?;
        let sums = walk.sums(self, Terms::Spread { input });
        let count = walk.pixels as f64;
        let mut total = vec![0.0f64; channels];
        for chunk in sums.chunks_exact(2 * channels) {
            for (total, sum) in total.iter_mut().zip(chunk) {
                *total += f64::from(*sum);
            }
        }
        let mean: Vec<f64> = total.iter().map(|total| total / count).collect();
        // Chan et al.: the chunks' own spreads, and how far their means are apart.
        let mut spread = vec![0.0f64; channels];
        for (index, chunk) in sums.chunks_exact(2 * channels).enumerate() {
            let pixels = walk.chunk(index).len() as f64;
            let (sums, spreads) = chunk.split_at(channels);
            for (channel, (sum, own)) in sums.iter().zip(spreads).enumerate() {
                let apart = f64::from(*sum) / pixels - mean[channel];
                spread[channel] += f64::from(*own) + pixels * apart * apart;
            }
        }
        Ok(ChannelStatistics {
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            variance: spread.iter().map(|spread| (spread / count) as f32).collect(),
        })
    }

    /// Normalise an NHWC array, add `residual`, apply the activation.
    ///
    /// # Errors
    /// As [`channel_statistics`](Self::channel_statistics); also slices of other lengths than their shapes.
    pub fn normalise(
        self,
        input: &[f32],
        by: Normalisation<'_>,
        bias: &[f32],
        residual: Option<&[f32]>,
        activation: Activation,
    ) -> Result<Vec<f32>, ShapeError> {
        let walk = by.walk(input)?;
        check_len("the bias", bias.len(), walk.channels)?;
        check_len("what is added", residual.map_or(input.len(), <[f32]>::len), input.len())?;
        let scale: Vec<f32> = by.scales().map(|scale| scale as f32).collect();
        let map = Map::Normalise {
            input,
            residual,
            relu: activation == Activation::Relu,
            mean: &Cyclic::new(by.mean),
            scale: &Cyclic::new(&scale),
            bias: &Cyclic::new(bias),
        };
        // SAFETY: the chunks cover the array, and each writes all of its own part.
        Ok(unsafe { new_filled(input.len(), |target| walk.map(self, map, target, None)) })
    }

    /// Gradients of a normalisation.
    ///
    /// # Shapes
    /// `gradient` NHWC, as the saved input.
    ///
    /// # Errors
    /// As [`normalise`](Self::normalise).
    pub fn normalise_gradient(
        self,
        gradient: &[f32],
        saved: NormSaved<'_>,
        by: Normalisation<'_>,
    ) -> Result<NormGradients, ShapeError> {
        let NormSaved { input, results, own_statistics, residual } = saved;
        let walk = by.walk(input)?;
        check_len("the output's gradient", gradient.len(), input.len())?;
        check_len(
            "the results kept for the gradient",
            results.map_or(input.len(), <[f32]>::len),
            input.len(),
        )?;
        let sums = walk.sums(self, Terms::Gradient { gradient, results, input, mean: by.mean });
        let mut totals = vec![0.0f64; 2 * walk.channels];
        for chunk in sums.chunks_exact(totals.len()) {
            for (total, sum) in totals.iter_mut().zip(chunk) {
                *total += f64::from(*sum);
            }
        }
        let (of_bias, of_products) = totals.split_at(walk.channels);
        let count = walk.pixels as f64;
        let share = if own_statistics { 1.0 / count } else { 0.0 };
        let scale: Vec<f32> = by.scales().map(|scale| scale as f32).collect();
        let level: Vec<f32> = of_bias.iter().map(|sum| (sum * share) as f32).collect();
        let slope = of_products.iter().zip(by.deviations());
        let slope: Vec<f32> =
            slope.map(|(sum, deviation)| (sum * share / (deviation * deviation)) as f32).collect();
        let map = Map::Gradient {
            gradient,
            results,
            input,
            mean: &Cyclic::new(by.mean),
            level: &Cyclic::new(&level),
            slope: &Cyclic::new(&slope),
            scale: &Cyclic::new(&scale),
        };
        let mut behind = Vec::with_capacity(if residual { input.len() } else { 0 });
        let behind_target = residual.then(|| SharedOut::new(behind.as_mut_ptr()));
        // SAFETY: the chunks cover the array, and each writes all of its own part of both arrays;
        // the second has room for as many floats when it is asked for.
        let of_input = unsafe {
            let of_input = new_filled(input.len(), |target| walk.map(self, map, target, behind_target));
            if residual {
                behind.set_len(input.len());
            }
            of_input
        };
        let weight = of_products.iter().zip(by.deviations()).map(|(sum, deviation)| (sum / deviation) as f32);
        Ok(NormGradients {
            input: of_input,
            residual: residual.then_some(behind),
            weight: weight.collect(),
            bias: of_bias.iter().map(|sum| *sum as f32).collect(),
        })
    }
}

impl Normalisation<'_> {
    /// The walk over an array that is normalised thus.
    fn walk(&self, input: &[f32]) -> Result<Walk, ShapeError> {
        let walk = Walk::new(self.weight.len(), input)?;
        check_len("the mean", self.mean.len(), walk.channels)?;
        check_len("the variance", self.variance.len(), walk.channels)?;
        Ok(walk)
    }

    /// Standard deviations.
    fn deviations(&self) -> impl Iterator<Item = f64> {
        self.variance.iter().map(|variance| (f64::from(*variance) + self.eps).sqrt())
    }

    /// What values are multiplied by.
    fn scales(&self) -> impl Iterator<Item = f64> {
        self.weight.iter().zip(self.deviations()).map(|(weight, deviation)| f64::from(*weight) / deviation)
    }
}

/// How an array is cut into chunks.
#[derive(Clone, Copy)]
struct Walk {
    channels: usize,
    pixels: usize,
    /// Pixels of every chunk but the last.
    chunk_pixels: usize,
}

impl Walk {
    fn new(channels: usize, input: &[f32]) -> Result<Self, ShapeError> {
        if channels == 0 {
            return Err(ShapeError::Zero { what: "channels" });
        }
        if input.is_empty() {
            return Err(ShapeError::Zero { what: "the input's length" });
        }
        let pixels = input.len() / channels;
        check_len("the input", input.len(), pixels * channels)?;
        Ok(Self { channels, pixels, chunk_pixels: (CHUNK_FLOATS / channels).clamp(8, 256) })
    }

    fn chunks(&self) -> usize {
        self.pixels.div_ceil(self.chunk_pixels)
    }

    /// Pixels of a chunk.
    fn chunk(&self, index: usize) -> Range<usize> {
        index * self.chunk_pixels..((index + 1) * self.chunk_pixels).min(self.pixels)
    }

    /// Two sums for each channel of each chunk: `[chunk][2][channels]`.
    fn sums(&self, engine: Engine, terms: Terms<'_>) -> Vec<f32> {
        let mut sums = vec![0.0; self.chunks() * 2 * self.channels];
        sums.par_chunks_exact_mut(2 * self.channels).enumerate().for_each(|(index, target)| {
            engine.isa.run(SumChunk { terms, channels: self.channels, pixels: self.chunk(index), target });
        });
        sums
    }

    /// Compute every value of the target.
    ///
    /// # Safety
    /// The targets must be writable for the whole array.
    unsafe fn map(&self, engine: Engine, map: Map<'_>, target: SharedOut, behind: Option<SharedOut>) {
        (0..self.chunks()).into_par_iter().for_each(|index| {
            let pixels = self.chunk(index);
            let floats = pixels.start * self.channels..pixels.end * self.channels;
            engine.isa.run(MapChunk { map, channels: self.channels, floats, target, behind });
        });
    }
}

/// What is summed over the pixels of a chunk.
#[derive(Clone, Copy)]
enum Terms<'a> {
    /// Values; then squares of their distance from the chunk's own mean.
    Spread { input: &'a [f32] },
    /// Gradients (where ReLU's results are positive); then their products with the distance from the mean.
    Gradient { gradient: &'a [f32], results: Option<&'a [f32]>, input: &'a [f32], mean: &'a [f32] },
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
                if left >= BLOCK * width {
                    self.block::<S, BLOCK>(channel, width);
                    channel += BLOCK * width;
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
        // SAFETY: every pixel of the chunk has the block's channels in each of the arrays, which the
        // callers have found to be equally long.
        unsafe {
            match self.terms {
                Terms::Spread { input } => {
                    let input = input.as_ptr().add(start);
                    for pixel in 0..pixels {
                        for (v, sum) in first.iter_mut().enumerate() {
                            let at = pixel * self.channels + v * width;
                            *sum = add::<S>(*sum, load_first::<S>(input.add(at), count));
                        }
                    }
                    let share = splat::<S>(1.0 / pixels as f32);
                    for pixel in 0..pixels {
                        for (v, sum) in second.iter_mut().enumerate() {
                            let at = pixel * self.channels + v * width;
                            let value = load_first::<S>(input.add(at), count);
                            let apart = sub::<S>(value, mul::<S>(first[v], share));
                            *sum = mul_add::<S>(apart, apart, *sum);
                        }
                    }
                }
                Terms::Gradient { gradient, results, input, mean } => {
                    let (gradient, input) = (gradient.as_ptr().add(start), input.as_ptr().add(start));
                    let results = results.map(|results| results.as_ptr().add(start));
                    for pixel in 0..pixels {
                        for v in 0..V {
                            let at = pixel * self.channels + v * width;
                            let mut arriving = load_first::<S>(gradient.add(at), count);
                            if let Some(results) = results {
                                arriving = behind_relu::<S>(arriving, load_first(results.add(at), count));
                            }
                            let mean = load_first::<S>(mean.as_ptr().add(channel + v * width), count);
                            let apart = sub::<S>(load_first::<S>(input.add(at), count), mean);
                            first[v] = add::<S>(first[v], arriving);
                            second[v] = mul_add::<S>(arriving, apart, second[v]);
                        }
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

/// A gradient that arrives at ReLU. torch: nothing passes where the result is <= 0; a NaN lets it through.
#[inline(always)]
fn behind_relu<S: Simd>(gradient: F32s<S>, result: F32s<S>) -> F32s<S> {
    let zero = splat::<S>(0.0);
    result.le(zero).select(zero, gradient)
}

/// One value for each channel, continued beyond the last so that a register may begin at any channel.
struct Cyclic {
    values: Vec<f32>,
}

impl Cyclic {
    fn new(values: &[f32]) -> Self {
        Self { values: values.iter().copied().cycle().take(values.len() + WIDEST).collect() }
    }

    /// The values of the channels from `channel` on.
    ///
    /// # Safety
    /// `channel` must exist.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, channel: usize) -> F32s<S> {
        // SAFETY: a register has at most `WIDEST` lanes, and as many floats follow every channel.
        unsafe { load::<S>(self.values.as_ptr().add(channel)) }
    }
}

/// What every value is computed from.
#[derive(Clone, Copy)]
enum Map<'a> {
    /// `(input - mean) * scale + bias`, which keeps its digits where the mean is far from zero.
    Normalise {
        input: &'a [f32],
        residual: Option<&'a [f32]>,
        relu: bool,
        mean: &'a Cyclic,
        scale: &'a Cyclic,
        bias: &'a Cyclic,
    },
    /// `(gradient - level - (input - mean) * slope) * scale`.
    Gradient {
        gradient: &'a [f32],
        results: Option<&'a [f32]>,
        input: &'a [f32],
        mean: &'a Cyclic,
        level: &'a Cyclic,
        slope: &'a Cyclic,
        scale: &'a Cyclic,
    },
}

/// Some pixels of the target.
struct MapChunk<'a> {
    map: Map<'a>,
    channels: usize,
    /// Begins with a pixel's first channel.
    floats: Range<usize>,
    target: SharedOut,
    /// Where gradients behind the activation go.
    behind: Option<SharedOut>,
}

impl WithSimd for MapChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let width = lanes::<S>();
        let (mut at, mut channel) = (self.floats.start, 0);
        let turn = width % self.channels;
        while at < self.floats.end {
            let count = (self.floats.end - at).min(width);
            // SAFETY: the arrays are as long as the target, `count` floats exist from `at` on and belong to
            // this chunk, and `channel` is below the number of channels.
            unsafe { self.register::<S>(at, channel, count) };
            at += width;
            channel += turn;
            if channel >= self.channels {
                channel -= self.channels;
            }
        }
    }
}

impl MapChunk<'_> {
    /// `count` values from `at` on, the first of which belongs to `channel`.
    ///
    /// # Safety
    /// They must exist in every array.
    #[inline(always)]
    unsafe fn register<S: Simd>(&self, at: usize, channel: usize, count: usize) {
        // SAFETY: granted by the caller.
        unsafe {
            let value = match self.map {
                Map::Normalise { input, residual, relu, mean, scale, bias } => {
                    let value = load_first::<S>(input.as_ptr().add(at), count);
                    let apart = sub::<S>(value, mean.load(channel));
                    let mut value = mul_add::<S>(apart, scale.load(channel), bias.load(channel));
                    if let Some(residual) = residual {
                        value = add::<S>(value, load_first(residual.as_ptr().add(at), count));
                    }
                    if relu { super::source::relu::<S>(value) } else { value }
                }
                Map::Gradient { gradient, results, input, mean, level, slope, scale } => {
                    let mut arriving = load_first::<S>(gradient.as_ptr().add(at), count);
                    if let Some(results) = results {
                        arriving = behind_relu::<S>(arriving, load_first(results.as_ptr().add(at), count));
                    }
                    if let Some(behind) = self.behind {
                        store_first::<S>(behind.get().add(at), arriving, count);
                    }
                    let value = load_first::<S>(input.as_ptr().add(at), count);
                    let apart = sub::<S>(value, mean.load(channel));
                    let value = sub::<S>(arriving, level.load(channel));
                    let value = sub::<S>(value, mul::<S>(apart, slope.load(channel)));
                    mul::<S>(value, scale.load(channel))
                }
            };
            store_first::<S>(self.target.get().add(at), value, count);
        }
    }
}
