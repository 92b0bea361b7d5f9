//! The speeds that no kernel can exceed: fused multiply-adds on registers alone, and a register tile on
//! arrays that stay in the first-level cache.

use std::hint::black_box;

use macerator::{Simd, WithSimd};

use super::broadcast::Broadcast;
use super::engine::Engine;
use super::microkernel::{RegisterTile, convolve, convolve_batch_blocked};
use super::scratch::Scratch;
use super::simd::{add, each, lanes, mul_add, splat, store};

/// Independent sums: enough to keep every multiply-add unit busy, few enough for 16 registers.
const SUMS: usize = 12;

impl Engine {
    /// Do `rounds` of multiply-adds on one thread, for benchmarks to compare with; returns how many
    /// floating-point operations they were.
    #[must_use]
    pub fn multiply_add_rounds(self, rounds: usize) -> u64 {
        rounds as u64 * self.isa.run(Rounds { rounds }) as u64
    }

    /// Do `rounds` of the kernels' inner loop on one thread, with everything that it reads in the first-level cache; returns
    /// how many floating-point operations they were.
    #[must_use]
    pub fn tile_rounds(self, rounds: usize) -> u64 {
        rounds as u64 * self.isa.run(Tiles { rounds, broadcast: self.broadcast }) as u64
    }
}

/// Multiply-adds on registers alone.
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

/// Products of one round's sums: their weights take 20 KiB at most.
const TILE_DEPTH: usize = 160;

/// Register tiles on arrays that stay in the first-level cache.
struct Tiles {
    rounds: usize,
    broadcast: Broadcast,
}

impl WithSimd for Tiles {
    /// Operations of one round.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        match (lanes::<S>(), self.broadcast) {
            (16, Broadcast::Embedded) => self.run_batch_blocked::<S, 8, 1>(),
            (16, Broadcast::Explicit) => self.run_batch_blocked::<S, 4, 2>(),
            (8, _) => self.run::<S, 6>(),
            _ => self.run::<S, 8>(),
        }
    }
}

impl Tiles {
    /// AVX-512's tile.
    #[inline(always)]
    fn run_batch_blocked<S: Simd, const BATCH_BLOCK: usize, const V: usize>(&self) -> usize {
        const RUN: usize = 64;
        // As many weights for either broadcast.
        let depth = 4 * RUN / V;
        let runs: Vec<_> = (0..depth / RUN).map(|run| [0, run * RUN]).collect();
        let source = Scratch::zeroed(3 * BATCH_BLOCK * RUN);
        let weights = Scratch::zeroed(depth * V * lanes::<S>());
        let mut results = Scratch::zeroed(3 * BATCH_BLOCK * V * lanes::<S>());
        for _ in 0..self.rounds {
            // SAFETY: all runs read the same values of the source; there is a weight for each of their lines.
            let sums = unsafe {
                let source = black_box(source.as_ptr());
                let groups = each(|r| source.add(r * BATCH_BLOCK * RUN));
                convolve_batch_blocked::<S, 3, BATCH_BLOCK, V, RUN>(
                    groups,
                    &runs,
                    weights.as_ptr(),
                    [splat::<S>(0.0); V],
                )
            };
            for r in 0..3 {
                for c in 0..BATCH_BLOCK {
                    for v in 0..V {
                        let at = ((r * BATCH_BLOCK + c) * V + v) * lanes::<S>();
                        // SAFETY: there is room for each of the tile's registers.
                        unsafe { store::<S>(results.as_mut_ptr().add(at), sums[r][c][v]) };
                    }
                }
            }
            black_box(&results[..]);
        }
        2 * 3 * BATCH_BLOCK * V * lanes::<S>() * depth
    }

    #[inline(always)]
    fn run<S: Simd, const P: usize>(&self) -> usize {
        let source = Scratch::zeroed(P * TILE_DEPTH);
        let weights = Scratch::zeroed(TILE_DEPTH * 2 * lanes::<S>());
        let mut total: RegisterTile<S, P, 2> = [[splat::<S>(0.0); 2]; P];
        for _ in 0..self.rounds {
            // SAFETY: both arrays are as long as one run of a tile.
            total = unsafe {
                let source = black_box(source.as_ptr());
                let pixels = each(|p| source.add(p * TILE_DEPTH));
                convolve::<S, P, 2>(pixels, &[0], TILE_DEPTH, weights.as_ptr(), total)
            };
        }
        let mut lane = [0.0; 16];
        for sum in total.into_iter().flatten() {
            // SAFETY: no register has more than 16 lanes.
            unsafe { store::<S>(lane.as_mut_ptr(), sum) };
            black_box(lane);
        }
        2 * P * 2 * lanes::<S>() * TILE_DEPTH
    }
}
