//! The tiles of direct convolution for pixels that lie evenly, at a distance that the compiler knows.
//!
//! Then a broadcast is part of its multiply-add, which saves a third of the instructions: with a neighbour on the same core
//! up to a quarter of the time. Only AVX-512 has such an instruction.

use macerator::Simd;

use super::direct::{LONG_SUM, Place, finished, first_sums};
use super::pack::Block;
use super::pass::Pass;
use super::simd::{lanes, store_first};
use super::source::{Finish, Target};
use super::tile::convolve_evenly;

/// Pixels of a row that are taken together.
const GROUP: usize = 8;

/// Groups of a tile.
const GROUPS: usize = 3;

/// Distances that have code of their own, in floats.
const PITCHES: [usize; 5] = [32, 64, 128, 256, 512];

/// Products of one sum from which on such a tile is worth its beginning and end.
const MIN_DEPTH: usize = 256;

/// Whether the pixels of a pass without pooling lie so, in a source of `channels` channels, and it is worth it for sums of
/// `depth` products.
pub(crate) fn applies(pass: &Pass, channels: usize, depth: usize) -> bool {
    let is_one_long_sum = pass.taps.len() == 1 && depth > LONG_SUM;
    depth >= MIN_DEPTH
        && !is_one_long_sum
        && pass.count[1].is_multiple_of(GROUP)
        && PITCHES.contains(&(pass.step[1] * channels))
}

/// One block of channels of some results.
pub(crate) struct EvenBlock<'a> {
    /// Where offsets are counted from.
    pub(crate) source: *const f32,
    /// Runs of consecutive floats that a pixel sums over, and their length.
    pub(crate) runs: &'a [usize],
    pub(crate) run_len: usize,
    pub(crate) block: &'a Block,
    /// The block's lines.
    pub(crate) weights: *const f32,
    /// The first of the block's channels among all.
    pub(crate) channel: usize,
    pub(crate) bias: Option<&'a [f32]>,
    /// Whole groups of pixels.
    pub(crate) places: &'a [Place],
    pub(crate) target: Target,
    pub(crate) finish: Finish,
}

impl EvenBlock<'_> {
    /// All its results.
    ///
    /// # Safety
    /// [`applies`] must; every place plus every run must be readable from `source`; `weights` must hold the
    /// block; the block's channels at every place must be writable in the target.
    #[inline(always)]
    pub(crate) unsafe fn run<S: Simd>(&self, pitch: usize) {
        // SAFETY: granted by the caller.
        unsafe {
            match pitch {
                32 => self.tiles::<S, 32>(),
                64 => self.tiles::<S, 64>(),
                128 => self.tiles::<S, 128>(),
                256 => self.tiles::<S, 256>(),
                512 => self.tiles::<S, 512>(),
                _ => unreachable!("`applies` lets only these through"),
            }
        }
    }

    /// All results, in tiles of three groups, the last of two or one.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    #[inline(always)]
    unsafe fn tiles<S: Simd, const PITCH: usize>(&self) {
        for places in self.places.chunks(GROUPS * GROUP) {
            for register in 0..self.block.registers {
                // SAFETY: granted by the caller.
                unsafe {
                    match places.len() / GROUP {
                        GROUPS => self.tile::<S, GROUPS, PITCH>(places, register),
                        2 => self.tile::<S, 2, PITCH>(places, register),
                        _ => self.tile::<S, 1, PITCH>(places, register),
                    }
                }
            }
        }
    }

    /// `R` groups of pixels, one register of channels.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const PITCH: usize>(&self, places: &[Place], register: usize) {
        let (first, line) = (register * lanes::<S>(), self.block.registers * lanes::<S>());
        let count = self.block.channels.saturating_sub(first).min(lanes::<S>());
        let [bias] = first_sums::<S, 1>(self.bias, self.channel + first, count);
        // SAFETY: granted by the caller.
        unsafe {
            let groups = std::array::from_fn(|r| self.source.add(places[r * GROUP].source));
            let weights = self.weights.add(first);
            let sums =
                convolve_evenly::<S, R, GROUP, PITCH>(groups, self.runs, self.run_len, weights, line, bias);
            let target = self.target.values.get().add(self.channel + first);
            for (sum, place) in sums.iter().flatten().zip(places) {
                store_first::<S>(target.add(place.target), finished::<S>(*sum, self.finish), count);
            }
        }
    }
}
