//! What is computed for every value by itself.

use std::marker::PhantomData;
use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::chunks::Chunks;
use super::known::{Cyclic, Known};
use crate::cpu::activation::Activation;
use crate::cpu::engine::Engine;
use crate::cpu::functions::{Function, WithFunction, with_function};
use crate::cpu::scratch::SharedOut;
use crate::cpu::simd::{F32s, add, lanes, load_first, mul, mul_add, store_first, sub};

/// `activation((input - mean) * scale + bias + residual)`, which keeps its digits where the mean is far from zero.
#[derive(Clone, Copy)]
pub(super) struct Normalise<'a> {
    pub(super) input: &'a [f32],
    pub(super) residual: Option<&'a [f32]>,
    pub(super) mean: &'a Cyclic,
    pub(super) scale: &'a Cyclic,
    pub(super) bias: &'a Cyclic,
}

/// `(gradient - mean_gradient - (input - mean) * projection) * scale`, the gradient being that before the activation.
#[derive(Clone, Copy)]
pub(super) struct Gradient<'a> {
    pub(super) gradient: &'a [f32],
    pub(super) input: &'a [f32],
    pub(super) known: Known<'a>,
    pub(super) mean_gradient: &'a Cyclic,
    pub(super) projection: &'a Cyclic,
    /// Where the residual's gradients go, if they are wanted: those before the activation.
    pub(super) residual: Option<SharedOut>,
}

/// What is computed of a register.
trait Map: Copy + Sync {
    /// `count` values from `at` on, the first of which belongs to `channel`.
    ///
    /// # Safety
    /// They must exist in every array.
    unsafe fn register<S: Simd, F: Function, const BY_RESULTS: bool>(
        self,
        at: usize,
        channel: usize,
        count: usize,
    ) -> F32s<S>;
}

impl Map for Normalise<'_> {
    #[inline(always)]
    unsafe fn register<S: Simd, F: Function, const BY_RESULTS: bool>(
        self,
        at: usize,
        channel: usize,
        count: usize,
    ) -> F32s<S> {
        // SAFETY: granted by the caller.
        unsafe {
            let value = load_first::<S>(self.input.as_ptr().add(at), count);
            let deviation = sub::<S>(value, self.mean.load(channel));
            let mut value = mul_add::<S>(deviation, self.scale.load(channel), self.bias.load(channel));
            if let Some(residual) = self.residual {
                value = add::<S>(value, load_first(residual.as_ptr().add(at), count));
            }
            F::value::<S>(value)
        }
    }
}

impl Map for Gradient<'_> {
    #[inline(always)]
    unsafe fn register<S: Simd, F: Function, const BY_RESULTS: bool>(
        self,
        at: usize,
        channel: usize,
        count: usize,
    ) -> F32s<S> {
        // SAFETY: granted by the caller.
        unsafe {
            let gradient = load_first::<S>(self.gradient.as_ptr().add(at), count);
            let deviation =
                sub::<S>(load_first(self.input.as_ptr().add(at), count), self.known.mean.load(channel));
            let value = self.known.before::<S, F, BY_RESULTS>(gradient, deviation, at, channel, count);
            if let Some(residual) = self.residual {
                store_first::<S>(residual.get().add(at), value, count);
            }
            let value = sub::<S>(value, self.mean_gradient.load(channel));
            let value = sub::<S>(value, mul::<S>(deviation, self.projection.load(channel)));
            mul::<S>(value, self.known.scale.load(channel))
        }
    }
}

/// Compute every value of the target.
///
/// # Safety
/// The target must be writable for the whole array.
pub(super) unsafe fn normalise(
    engine: Engine,
    chunks: Chunks,
    map: Normalise<'_>,
    activation: Activation,
    target: SharedOut,
) {
    with_function(activation, AllChunks { engine, chunks, map, by_results: false, target });
}

/// Compute every value of the target, and of the residual's gradient if there is room for it.
///
/// # Safety
/// The targets must be writable for the whole array.
pub(super) unsafe fn gradient(
    engine: Engine,
    chunks: Chunks,
    map: Gradient<'_>,
    activation: Activation,
    target: SharedOut,
) {
    let by_results = map.known.results.is_some();
    with_function(activation, AllChunks { engine, chunks, map, by_results, target });
}

struct AllChunks<M> {
    engine: Engine,
    chunks: Chunks,
    map: M,
    by_results: bool,
    target: SharedOut,
}

impl<M: Map> WithFunction for AllChunks<M> {
    type Output = ();

    fn with<F: Function>(self) {
        match self.by_results {
            true => self.each::<F, true>(),
            false => self.each::<F, false>(),
        }
    }
}

impl<M: Map> AllChunks<M> {
    fn each<F: Function, const BY_RESULTS: bool>(&self) {
        let Self { engine, chunks, map, target, .. } = *self;
        let channels = chunks.channels;
        (0..chunks.count()).into_par_iter().for_each(|index| {
            let pixels = chunks.chunk(index);
            let floats = pixels.start * channels..pixels.end * channels;
            let function = PhantomData::<F>;
            engine.isa.run(MapChunk::<M, F, BY_RESULTS> { map, channels, floats, target, function });
        });
    }
}

/// Some pixels of the target.
struct MapChunk<M, F, const BY_RESULTS: bool> {
    map: M,
    channels: usize,
    /// Begins with a pixel's first channel.
    floats: Range<usize>,
    target: SharedOut,
    function: PhantomData<F>,
}

impl<M: Map, F: Function, const BY_RESULTS: bool> WithSimd for MapChunk<M, F, BY_RESULTS> {
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
            unsafe {
                let value = self.map.register::<S, F, BY_RESULTS>(at, channel, count);
                store_first::<S>(self.target.get().add(at), value, count);
            }
            at += width;
            channel += turn;
            if channel >= self.channels {
                channel -= self.channels;
            }
        }
    }
}
