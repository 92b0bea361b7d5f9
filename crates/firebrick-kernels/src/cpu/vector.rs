//! What optimisers do to whole parameters, in one pass over memory and with all threads.
//!
//! Chunks have a fixed length and are added up in their order, and so are the partial sums of a
//! chunk, so results do not depend on the number of threads or the width of the registers.
//! Products and sums are rounded one by one, as separate operations would.

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::engine::Engine;
use super::parallel::threads_for_floats;

/// Floats of a chunk.
const CHUNK: usize = 1 << 14;

/// Floats of several vectors that stay in the first-level cache together.
const CACHED: usize = 1 << 11;

/// Partial sums of a chunk: enough for several registers, so that an addition need not wait for the one before.
const PARTIAL_SUMS: usize = 128;

impl Engine {
    /// `a = a * alpha + b * beta`, as far as both reach.
    pub fn scaled_sum(self, a: &mut [f32], alpha: f32, b: &[f32], beta: f32) {
        let add = |(a, b)| self.isa.run(ScaledSum { a, alpha, b, beta });
        if threads_for_floats(a.len()) == 1 {
            add((a, b));
        } else {
            a.par_chunks_mut(CHUNK).zip(b.par_chunks(CHUNK)).for_each(add);
        }
    }

    /// `b = b * beta + c * gamma`, then `a = a * alpha + b * delta`, as far as all three reach: the second finds in the
    /// first-level cache what the first has written.
    pub fn two_scaled_sums(self, a: &mut [f32], b: &mut [f32], c: &[f32], factors: [f32; 4]) {
        let [alpha, beta, gamma, delta] = factors;
        let parts = |a: &mut [f32], b: &mut [f32], c: &[f32]| {
            for ((a, b), c) in a.chunks_mut(CACHED).zip(b.chunks_mut(CACHED)).zip(c.chunks(CACHED)) {
                self.isa.run(ScaledSum { a: b, alpha: beta, b: c, beta: gamma });
                self.isa.run(ScaledSum { a, alpha, b, beta: delta });
            }
        };
        if threads_for_floats(a.len()) == 1 {
            parts(a, b, c);
        } else {
            let chunks = a.par_chunks_mut(CHUNK).zip(b.par_chunks_mut(CHUNK)).zip(c.par_chunks(CHUNK));
            chunks.for_each(|((a, b), c)| parts(a, b, c));
        }
    }

    /// The square root of the sum of tiles_at.
    #[must_use]
    pub fn l2_norm(self, values: &[f32]) -> f32 {
        let sum_of_squares = |chunk| self.isa.run(SumOfSquares { chunk });
        let sums: Vec<f64> = if threads_for_floats(values.len()) == 1 {
            values.chunks(CHUNK).map(sum_of_squares).collect()
        } else {
            values.par_chunks(CHUNK).map(sum_of_squares).collect()
        };
        sums.into_iter().fold(0.0, |total, sum| total + sum).sqrt() as f32
    }
}

// The loops below are plain: the compiler makes vectors of them, for the instruction set that it is
// told to compile them for.

/// `a = a * alpha + b * beta`.
struct ScaledSum<'a> {
    a: &'a mut [f32],
    alpha: f32,
    b: &'a [f32],
    beta: f32,
}

impl WithSimd for ScaledSum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        for (a, b) in self.a.iter_mut().zip(self.b) {
            *a = *a * self.alpha + *b * self.beta;
        }
    }
}

struct SumOfSquares<'a> {
    chunk: &'a [f32],
}

impl WithSimd for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> f64 {
        let mut sums = [0.0f32; PARTIAL_SUMS];
        let (groups, rest) = self.chunk.as_chunks::<PARTIAL_SUMS>();
        for group in groups {
            for (sum, value) in sums.iter_mut().zip(group) {
                *sum += value * value;
            }
        }
        let mut total = 0.0;
        for sum in sums {
            total += f64::from(sum);
        }
        for value in rest {
            total += f64::from(*value) * f64::from(*value);
        }
        total
    }
}
