//! One item of a direct convolution: its source, and the register tiles of its results.

use macerator::{Simd, WithSimd};

use super::job::{Item, Job};
use crate::cpu::cache::CACHE_LINE_FLOATS;
use crate::cpu::epilogue::{PixelOffsets, initial_sums, store_pooled, store_tiles};
use crate::cpu::microkernel::{RegisterTile, convolve, convolve_depth_blocked, tile_rows};
use crate::cpu::pack::Block;
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::{each, lanes, prefetch, splat, store};
use crate::cpu::source::Source;
use crate::cpu::window::Window;

/// One item of a pass.
pub(super) struct RunItem<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) item: Item,
}

/// Where an item reads.
struct ItemSource {
    /// A copy with a zero border, if it needs one.
    _copy: Option<Scratch>,
    start: *const f32,
    /// Floats from one row to the next.
    pitch: usize,
    /// Floats from one image to the next.
    image: usize,
}

impl WithSimd for RunItem<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        // Those of other instruction sets vanish in compilation.
        let depth = self.job.summed * self.job.pass.taps.len();
        let pools = self.job.target.codes.is_some();
        match (tile_rows(lanes::<S>(), depth), pools) {
            (6, false) => self.run::<S, 6, false>(),
            (6, true) => self.run::<S, 4, true>(),
            (12, false) => self.run::<S, 12, false>(),
            (12, true) => self.run::<S, 12, true>(),
            (_, false) => self.run::<S, 8, false>(),
            (_, true) => self.run::<S, 8, true>(),
        }
    }
}

impl RunItem<'_> {
    /// Compute the item in tiles of `P` pixels.
    #[inline(always)]
    fn run<S: Simd, const P: usize, const POOL: bool>(self) {
        let (job, rows) = (self.job, &self.item.rows);
        if job.zeros.fills_rows {
            // SAFETY: these rows of these images are this item's alone.
            unsafe { self.write_zeros() };
        }
        let window = job.pass.band(if POOL { 2 * rows.start..2 * rows.end } else { rows.clone() });
        let source = self.source::<S>(&window);
        let (runs, run_len) = job.pass.runs(source.pitch, job.source.channels, job.summed);
        let pixels = if POOL {
            job.pooling_windows(&self.item, source.pitch, source.image)
        } else {
            job.pixels(&self.item, source.pitch, source.image)
        };
        for group in 0..job.shape.groups {
            for block in &job.packed.blocks[self.item.blocks.clone()] {
                let weights = job.packed.block(group, block).as_ptr();
                // SAFETY: `pixels` and `runs` stay inside the window that `source` covers, `weights`
                // holds `runs.len() * run_len` lines of this block, and targets lie in this
                // item's rows, images and channels, which no other item writes.
                unsafe {
                    let source = source.start.add(group * job.summed);
                    match block.registers {
                        1 => self
                            .block::<S, P, 1, POOL>(group, block, source, &runs, run_len, weights, &pixels),
                        4 if !POOL => self
                            .block::<S, 6, 4, POOL>(group, block, source, &runs, run_len, weights, &pixels),
                        _ => self
                            .block::<S, P, 2, POOL>(group, block, source, &runs, run_len, weights, &pixels),
                    }
                }
            }
        }
    }

    /// Find the item's window of the source, or copy it where a border has to be added or a gradient computed.
    #[inline(always)]
    fn source<S: Simd>(&self, window: &Window) -> ItemSource {
        let (source, images) = (&self.job.source, &self.item.images);
        let pitch = source.size[1] * source.channels;
        if let Source::Plain(values) = source.values
            && window.is_inside(source.size)
        {
            let image = source.size[0] * pitch;
            let corner = window.origin.map(isize::unsigned_abs);
            let first = images.start * image + corner[0] * pitch + corner[1] * source.channels;
            return ItemSource { _copy: None, start: values[first..].as_ptr(), pitch, image };
        }
        let len = window.len(source.channels);
        let mut copy = Scratch::take(len * images.len());
        for (image, target) in images.clone().zip(copy.chunks_exact_mut(len.max(1))) {
            source.copy::<S>(image, window, target);
        }
        let pitch = window.size[1] * source.channels;
        ItemSource { start: copy.as_ptr(), _copy: Some(copy), pitch, image: len }
    }

    /// Fill the item's rows of the target with zeros, and those up to the next item's.
    ///
    /// # Safety
    /// No other item may write to these rows.
    unsafe fn write_zeros(&self) {
        let (job, pass) = (self.job, self.job.pass);
        let [height, width] = job.target_size;
        let row_len = width * job.produced * job.shape.groups;
        let row_of =
            |result: usize| if result == pass.count[0] { height } else { result * pass.target_step[0] };
        let rows = row_of(self.item.rows.start)..row_of(self.item.rows.end);
        for image in self.item.images.clone() {
            // SAFETY: rows of the target that the caller grants.
            unsafe {
                let first = job.target.values.get().add((image * height + rows.start) * row_len);
                first.write_bytes(0, rows.len() * row_len);
            }
        }
    }

    /// All results of one block of channels.
    ///
    /// # Safety
    /// Every pixel plus every run must be readable from `source`; `weights` must hold the block; the
    /// block's channels of every pixel, and where zeros go beside it, must be writable in the target.
    #[inline(always)]
    unsafe fn block<S: Simd, const P: usize, const V: usize, const POOL: bool>(
        &self,
        group: usize,
        block: &Block,
        source: *const f32,
        runs: &[usize],
        run_len: usize,
        weights: *const f32,
        pixels: &[PixelOffsets],
    ) {
        let channel = group * self.job.produced + block.first;
        let first = initial_sums::<S, V>(self.job.bias, channel, block.channels);
        // Pixels that lie apart, with few floats each, are not foreseen by the hardware prefetcher.
        let prefetches = runs.len() == 1 && self.job.pass.step[1] > 1;
        for (index, tile) in pixels.chunks(P).enumerate() {
            if prefetches {
                let next = &pixels[((index + 1) * P).min(pixels.len())..];
                prefetch_pixels(source, &next[..next.len().min(P)], run_len);
            }
            let last = tile.len() - 1;
            // SAFETY: granted by the caller; a tile that is not full repeats its last pixel.
            unsafe {
                let sources = match tile.first_chunk::<P>() {
                    Some(tile) => each(|p| source.add(tile[p].source)),
                    None => each(|p| source.add(tile[p.min(last)].source)),
                };
                let sums = if !POOL && self.job.is_depth_blocked {
                    convolve_depth_blocked::<S, P, V>(sources, run_len, weights, first)
                } else if !POOL && !self.job.zeros.beside.is_empty() {
                    // A few zeros at a time, so that no store waits for another's cache line. (In a function of its
                    // own the sums would go through memory.)
                    let target = self.job.target.values.get().add(channel);
                    let mut sums = [first; P];
                    let part = run_len.div_ceil(P);
                    for p in 0..P {
                        let start = (p * part).min(run_len);
                        let len = part.min(run_len - start);
                        let weights = weights.add(start * V * lanes::<S>());
                        sums = convolve::<S, P, V>(sources, &[runs[0] + start], len, weights, sums);
                        let pixel = tile[p.min(last)].target;
                        for beside in &self.job.zeros.beside {
                            let target = target.add(pixel).offset(*beside);
                            for v in 0..V {
                                store::<S>(target.add(v * lanes::<S>()), splat::<S>(0.0));
                            }
                        }
                    }
                    sums
                } else {
                    convolve::<S, P, V>(sources, runs, run_len, weights, [first; P])
                };
                self.store::<S, P, V, POOL>(&sums, tile, channel, block.channels);
            }
        }
    }

    /// Write a tile's results: `channels` floats from `channel` on of every pixel.
    ///
    /// # Safety
    /// They must be writable in the target.
    #[inline(always)]
    unsafe fn store<S: Simd, const P: usize, const V: usize, const POOL: bool>(
        &self,
        sums: &RegisterTile<S, P, V>,
        pixels: &[PixelOffsets],
        channel: usize,
        channels: usize,
    ) {
        let (target, activation) = (self.job.target, self.job.activation);
        // SAFETY: granted by the caller.
        unsafe {
            if POOL {
                store_pooled::<S, P, V>(sums, pixels, target, channel, channels, activation);
            } else {
                let target = target.values.get().add(channel);
                let of_pixel = |_, p: usize| target.add(pixels[p].target);
                let (tiles, counts) = (std::array::from_ref(sums), [pixels.len()]);
                store_tiles::<S, 1, P, V>(tiles, counts, of_pixel, channels, activation);
            }
        }
    }
}

/// Prefetch `len` floats of each pixel.
#[inline(always)]
fn prefetch_pixels(source: *const f32, pixels: &[PixelOffsets], len: usize) {
    for pixel in pixels {
        for line in (0..len).step_by(CACHE_LINE_FLOATS) {
            prefetch(source.wrapping_add(pixel.source + line));
        }
    }
}
