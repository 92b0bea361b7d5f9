//! The speed that no kernel can exceed: fused multiply-adds on registers alone.

use std::hint::black_box;

use macerator::{Simd, WithSimd};

use super::isa::Isa;
use super::simd::{add, lanes, mul_add, splat, store};

/// Independent sums: enough to keep every multiply-add unit busy, few enough for 16 registers.
const SUMS: usize = 12;

impl Isa {
    /// Do `rounds` of multiply-adds on one thread, for benchmarks to compare with; returns how many
    /// floating-point operations they were.
    #[must_use]
    pub fn multiply_add_rounds(self, rounds: usize) -> u64 {
        rounds as u64 * self.run(Rounds { rounds }) as u64
    }
}

struct Rounds {
    rounds: usize,
}

impl WithSimd for Rounds {
    /// Operations of one round.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        let factor = splat::<S>(black_box(0.999));
        let step = splat::<S>(black_box(0.001));
        let mut sums = [step; SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = mul_add::<S>(*sum, factor, step);
            }
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            total = add::<S>(total, *sum);
        }
        let mut lane = [0.0; 16];
        // SAFETY: no register has more than 16 lanes.
        unsafe { store::<S>(lane.as_mut_ptr(), total) };
        black_box(lane);
        2 * SUMS * lanes::<S>()
    }
}
