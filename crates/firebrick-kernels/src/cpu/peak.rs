//! The speeds that no kernel can exceed: fused multiply-adds on registers alone, and a tile on arrays that stay in the
//! first cache.

use std::hint::black_box;

use macerator::{Simd, WithSimd};

use super::Engine;
use super::scratch::Scratch;
use super::simd::{add, each, lanes, mul_add, splat, store};
use super::tile::{Tile, convolve, convolve_abreast};
use super::tile_form::TileForm;

/// Independent sums: enough to keep every multiply-add unit busy, few enough for 16 registers.
const SUMS: usize = 12;

impl Engine {
    /// Do `rounds` of multiply-adds on one thread, for benchmarks to compare with; returns how many
    /// floating-point operations they were.
    #[must_use]
    pub fn multiply_add_rounds(self, rounds: usize) -> u64 {
        rounds as u64 * self.isa.run(Rounds { rounds }) as u64
    }

    /// Do `rounds` of the kernels' inner loop on one thread, with everything that it reads in the first cache; returns
    /// how many floating-point operations they were.
    #[must_use]
    pub fn tile_rounds(self, rounds: usize) -> u64 {
        rounds as u64 * self.isa.run(Tiles { rounds, form: self.tiles }) as u64
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

/// Products of one round's sums: their weights take 20 KiB at most.
const TILE_DEPTH: usize = 160;

struct Tiles {
    rounds: usize,
    form: TileForm,
}

impl WithSimd for Tiles {
    /// Operations of one round.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        match (lanes::<S>(), self.form) {
            (16, TileForm::Tall) => self.run_abreast::<S, 8, 1>(),
            (16, TileForm::Wide) => self.run_abreast::<S, 4, 2>(),
            (8, _) => self.run::<S, 6>(),
            _ => self.run::<S, 8>(),
        }
    }
}

impl Tiles {
    /// The widest registers' tile.
    #[inline(always)]
    fn run_abreast<S: Simd, const ABREAST: usize, const V: usize>(&self) -> usize {
        const RUN: usize = 64;
        // As many weights in either form.
        let depth = 4 * RUN / V;
        let runs: Vec<_> = (0..depth / RUN).map(|run| [0, run * RUN]).collect();
        let source = Scratch::zeroed(3 * ABREAST * RUN);
        let weights = Scratch::zeroed(depth * V * lanes::<S>());
        let mut results = Scratch::zeroed(3 * ABREAST * V * lanes::<S>());
        for _ in 0..self.rounds {
            // SAFETY: all runs read the same values of the source; there is a weight for each of their lines.
            let sums = unsafe {
                let source = black_box(source.as_ptr());
                let groups = each(|r| source.add(r * ABREAST * RUN));
                convolve_abreast::<S, 3, ABREAST, V, RUN>(
                    groups,
                    &runs,
                    weights.as_ptr(),
                    [splat::<S>(0.0); V],
                )
            };
            for r in 0..3 {
                for c in 0..ABREAST {
                    for v in 0..V {
                        let at = ((r * ABREAST + c) * V + v) * lanes::<S>();
                        // SAFETY: there is room for each of the tile's registers.
                        unsafe { store::<S>(results.as_mut_ptr().add(at), sums[r][c][v]) };
                    }
                }
            }
            black_box(&results[..]);
        }
        2 * 3 * ABREAST * V * lanes::<S>() * depth
    }

    #[inline(always)]
    fn run<S: Simd, const P: usize>(&self) -> usize {
        let source = Scratch::zeroed(P * TILE_DEPTH);
        let weights = Scratch::zeroed(TILE_DEPTH * 2 * lanes::<S>());
        let mut total: Tile<S, P, 2> = [[splat::<S>(0.0); 2]; P];
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
