//! What is computed for every value by itself.

use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::chunks::Chunks;
use crate::cpu::activation::{relu, relu_gradient};
use crate::cpu::engine::Engine;
use crate::cpu::scratch::SharedOut;
use crate::cpu::simd::{F32s, add, lanes, load, load_first, mul, mul_add, store_first, sub};

/// Lanes of the widest register: how far [`Cyclic`] values go round.
const WIDEST_LANES: usize = 16;

/// Compute every value of the target, and of the residual's gradient if there is room for it.
///
/// # Safety
/// The targets must be writable for the whole array.
pub(super) unsafe fn map(
    engine: Engine,
    chunks: Chunks,
    map: Map<'_>,
    target: SharedOut,
    residual: Option<SharedOut>,
) {
    let channels = chunks.channels;
    (0..chunks.count()).into_par_iter().for_each(|index| {
        let pixels = chunks.chunk(index);
        let floats = pixels.start * channels..pixels.end * channels;
        engine.isa.run(MapChunk { map, channels, floats, target, residual });
    });
}

/// One value for each channel, continued beyond the last so that a register may begin at any channel.
pub(super) struct Cyclic {
    values: Vec<f32>,
}

impl Cyclic {
    pub(super) fn new(values: &[f32]) -> Self {
        Self { values: values.iter().copied().cycle().take(values.len() + WIDEST_LANES).collect() }
    }

    /// The values of the channels from `channel` on.
    ///
    /// # Safety
    /// `channel` must exist.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, channel: usize) -> F32s<S> {
        // SAFETY: a register has at most `WIDEST_LANES` lanes, and as many floats follow every channel.
        unsafe { load::<S>(self.values.as_ptr().add(channel)) }
    }
}

/// What every value is computed from.
#[derive(Clone, Copy)]
pub(super) enum Map<'a> {
    /// `(input - mean) * scale + bias`, which keeps its digits where the mean is far from zero.
    Normalise {
        input: &'a [f32],
        residual: Option<&'a [f32]>,
        has_relu: bool,
        mean: &'a Cyclic,
        scale: &'a Cyclic,
        bias: &'a Cyclic,
    },
    /// `(gradient - mean_gradient - (input - mean) * projection) * scale`.
    Gradient {
        gradient: &'a [f32],
        results: Option<&'a [f32]>,
        input: &'a [f32],
        mean: &'a Cyclic,
        mean_gradient: &'a Cyclic,
        projection: &'a Cyclic,
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
    /// Where the residual's gradients go: those before the activation.
    residual: Option<SharedOut>,
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
                Map::Normalise { input, residual, has_relu, mean, scale, bias } => {
                    let value = load_first::<S>(input.as_ptr().add(at), count);
                    let deviation = sub::<S>(value, mean.load(channel));
                    let mut value = mul_add::<S>(deviation, scale.load(channel), bias.load(channel));
                    if let Some(residual) = residual {
                        value = add::<S>(value, load_first(residual.as_ptr().add(at), count));
                    }
                    if has_relu { relu::<S>(value) } else { value }
                }
                Map::Gradient { gradient, results, input, mean, mean_gradient, projection, scale } => {
                    let mut value = load_first::<S>(gradient.as_ptr().add(at), count);
                    if let Some(results) = results {
                        value = relu_gradient::<S>(value, load_first(results.as_ptr().add(at), count));
                    }
                    if let Some(residual) = self.residual {
                        store_first::<S>(residual.get().add(at), value, count);
                    }
                    let deviation = sub::<S>(load_first(input.as_ptr().add(at), count), mean.load(channel));
                    let value = sub::<S>(value, mean_gradient.load(channel));
                    let value = sub::<S>(value, mul::<S>(deviation, projection.load(channel)));
                    mul::<S>(value, scale.load(channel))
                }
            };
            store_first::<S>(self.target.get().add(at), value, count);
        }
    }
}
