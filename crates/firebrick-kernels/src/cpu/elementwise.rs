//! Activation functions of whole arrays, forward and backward, in whatever order the values lie.

use std::marker::PhantomData;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::activation::Activation;
use super::engine::Engine;
use super::functions::{Function, WithFunction, with_function};
use super::parallel::threads_for_floats;
use super::scratch::{SharedOut, new_filled};
use super::shape::{ShapeError, check_len};
use super::simd::{F32s, lanes, load_from, store_first};

/// Floats of a chunk.
const CHUNK: usize = 1 << 14;

impl Engine {
    /// The function of every value.
    #[must_use]
    pub fn activate(self, input: &[f32], activation: Activation) -> Vec<f32> {
        self.map_pairs(input, None, activation)
    }

    /// The gradient of the input, given that of the results; both in the same order.
    ///
    /// # Errors
    /// Arrays of different lengths.
    pub fn activate_gradient(
        self,
        gradient: &[f32],
        input: &[f32],
        activation: Activation,
    ) -> Result<Vec<f32>, ShapeError> {
        check_len("the output's gradient", gradient.len(), input.len())?;
        Ok(self.map_pairs(input, Some(gradient), activation))
    }

    fn map_pairs(self, input: &[f32], gradient: Option<&[f32]>, activation: Activation) -> Vec<f32> {
        let chunks = input.len().div_ceil(CHUNK);
        let chunk = |target: SharedOut, index: usize| {
            let range = index * CHUNK..input.len().min((index + 1) * CHUNK);
            let (input, gradient) =
                (&input[range.clone()], gradient.map(|gradient| &gradient[range.clone()]));
            // SAFETY: the chunks are disjoint, and the target is as long as the input.
            let target = SharedOut::new(unsafe { target.get().add(range.start) });
            with_function(activation, MapChunk { engine: self, input, gradient, target });
        };
        // SAFETY: the chunks cover the array, and each writes all of its own part.
        unsafe {
            new_filled(input.len(), |target| {
                if threads_for_floats(input.len()) == 1 {
                    (0..chunks).for_each(|index| chunk(target, index));
                } else {
                    (0..chunks).into_par_iter().for_each(|index| chunk(target, index));
                }
            })
        }
    }
}

/// One chunk; `target` has room for as many values as the input has.
struct MapChunk<'a> {
    engine: Engine,
    input: &'a [f32],
    gradient: Option<&'a [f32]>,
    target: SharedOut,
}

impl WithFunction for MapChunk<'_> {
    type Output = ();

    fn with<F: Function>(self) {
        let Self { engine, input, gradient, target } = self;
        match gradient {
            Some(gradient) => {
                engine.isa.run(Backward::<F> { input, gradient, target, function: PhantomData })
            }
            None => engine.isa.run(Forward::<F> { input, target, function: PhantomData }),
        }
    }
}

struct Forward<'a, F> {
    input: &'a [f32],
    target: SharedOut,
    function: PhantomData<F>,
}

impl<F: Function> WithSimd for Forward<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        // SAFETY: the target has room for as many values.
        unsafe {
            write_all::<S>(self.target, self.input.len(), |at| F::value::<S>(load_from::<S>(self.input, at)))
        }
    }
}

struct Backward<'a, F> {
    input: &'a [f32],
    gradient: &'a [f32],
    target: SharedOut,
    function: PhantomData<F>,
}

impl<F: Function> WithSimd for Backward<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let of = |at| F::gradient::<S>(load_from::<S>(self.gradient, at), load_from::<S>(self.input, at));
        // SAFETY: as above.
        unsafe { write_all::<S>(self.target, self.input.len(), of) }
    }
}

/// Write what `of` says of every register.
///
/// # Safety
/// `len` floats must be writable.
#[inline(always)]
unsafe fn write_all<S: Simd>(target: SharedOut, len: usize, of: impl Fn(usize) -> F32s<S>) {
    for at in (0..len).step_by(lanes::<S>()) {
        // SAFETY: granted by the caller.
        unsafe { store_first::<S>(target.get().add(at), of(at), lanes::<S>().min(len - at)) };
    }
}
