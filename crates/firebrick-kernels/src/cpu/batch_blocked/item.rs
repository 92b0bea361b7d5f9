//! One item of a batch-blocked convolution: its packed images, and the register tiles of its results.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::job::{Item, Job, TargetLine, panel_channels};
use crate::cpu::broadcast::Broadcast;
use crate::cpu::epilogue::{initial_sums, store_tiles};
use crate::cpu::microkernel::convolve_batch_blocked;
use crate::cpu::pack::Block;
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::{each, lanes};
use crate::cpu::source::Source;
use crate::cpu::window::Window;

/// Pixels of a tile, each of one block of the batch.
const TILE_PIXELS: usize = 3;

/// Blocks of channels for which one tile's pixels are read, one after the other, while they are in the first-level cache.
const CHANNEL_BLOCKS: usize = 4;

/// One item.
pub(super) struct RunItem<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) item: Item,
}

/// An item's images, packed.
struct PackedImages {
    values: Scratch,
    /// Rows and columns of the source that are packed.
    rows: Range<usize>,
    columns: Range<usize>,
    /// Floats of a pixel in a panel, of a panel, of a block of the batch.
    pixel: usize,
    panel: usize,
    batch_block: usize,
}

/// Results that sum over the same taps.
struct TapGroup {
    /// Where each run of a panel's channels starts in the packed images, from the first tap's pixel, and in the packed weight,
    /// in lines.
    runs: Vec<[usize; 2]>,
    pixels: Vec<BlockPixel>,
}

/// A result of a block of images.
struct BlockPixel {
    /// Its first tap's pixel in the packed images.
    source: usize,
    /// The first image's result in the target.
    target: usize,
    images: usize,
}

impl WithSimd for RunItem<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        // Those of other instruction sets vanish in compilation.
        match (lanes::<S>(), panel_channels(self.job.channels[0]), self.job.broadcast) {
            (16, Some(64), Broadcast::Embedded) => self.run::<S, 64, 8>(),
            (16, Some(32), Broadcast::Embedded) => self.run::<S, 32, 8>(),
            (16, Some(64), Broadcast::Explicit) => self.run::<S, 64, 4>(),
            (16, Some(32), Broadcast::Explicit) => self.run::<S, 32, 4>(),
            _ => unreachable!("bug: a convolution to which batch blocks do not apply"),
        }
    }
}

impl RunItem<'_> {
    /// Compute the item in tiles of the same pixels of `BATCH_BLOCK` images.
    #[inline(always)]
    fn run<S: Simd, const PANEL: usize, const BATCH_BLOCK: usize>(self) {
        let images = self.pack_images::<S, PANEL, BATCH_BLOCK>();
        let groups = self.tap_groups::<PANEL, BATCH_BLOCK>(&images);
        for blocks in self.job.packed.blocks[self.item.blocks.clone()].chunks(CHANNEL_BLOCKS) {
            for TapGroup { runs, pixels } in &groups {
                for pixels in pixels.chunks(TILE_PIXELS) {
                    for block in blocks {
                        macro_rules! tile {
                            ($pixels:tt by $registers:tt) => {
                                self.tile::<S, $pixels, BATCH_BLOCK, $registers, PANEL>(
                                    &images, runs, pixels, block,
                                )
                            };
                        }
                        // With embedded broadcasts all blocks are of one register.
                        let is_embedded = BATCH_BLOCK == Broadcast::Embedded.batch_block();
                        let registers = if is_embedded { 1 } else { block.registers };
                        // SAFETY: a group's pixels and runs lie in the packed images, and targets in this item's
                        // rows, images and channels, which no other item writes.
                        unsafe {
                            match (pixels.len(), registers) {
                                (TILE_PIXELS, 1) => tile!(TILE_PIXELS by 1),
                                (2, 1) => tile!(2 by 1),
                                (_, 1) => tile!(1 by 1),
                                (TILE_PIXELS, _) => tile!(TILE_PIXELS by 2),
                                (2, _) => tile!(2 by 2),
                                (..) => tile!(1 by 2),
                            }
                        }
                    }
                }
            }
        }
    }

    /// Pack the item's images.
    #[inline(always)]
    fn pack_images<S: Simd, const PANEL: usize, const BATCH_BLOCK: usize>(&self) -> PackedImages {
        let job = self.job;
        let ([height, width], channels) = (job.source_size, job.channels[0]);
        let rows = source_range(&job.lines[0][self.item.rows.clone()]);
        let columns = source_range(&job.lines[1][self.item.columns.clone()]);
        let pixel = BATCH_BLOCK * PANEL;
        let panel = rows.len() * columns.len() * pixel;
        let batch_block = channels / PANEL * panel;
        let images = self.item.images.clone();
        let mut values = Scratch::take(images.len().div_ceil(BATCH_BLOCK) * batch_block);
        if !images.len().is_multiple_of(BATCH_BLOCK) {
            let last = images.len() / BATCH_BLOCK * batch_block;
            values[last..].fill(0.0);
        }
        let window = Window {
            origin: [rows.start.cast_signed(), columns.start.cast_signed()],
            size: [rows.len(), columns.len()],
        };
        let mut one = Scratch::take(match job.source.values {
            Source::Plain(_) => 0,
            _ => window.len(channels),
        });
        for (index, image) in images.enumerate() {
            // The first row, and from one to the next.
            let (from, pitch) = match job.source.values {
                Source::Plain(values) => {
                    let start = ((image * height + rows.start) * width + columns.start) * channels;
                    (&values[start..], width * channels)
                }
                _ => {
                    job.source.copy::<S>(image, &window, &mut one);
                    (&one[..], columns.len() * channels)
                }
            };
            let to = index / BATCH_BLOCK * batch_block + index % BATCH_BLOCK * PANEL;
            for row in 0..rows.len() {
                let from = &from[row * pitch..][..columns.len() * channels];
                for (column, from) in from.chunks_exact(channels).enumerate() {
                    let to = to + (row * columns.len() + column) * pixel;
                    for (index, from) in from.chunks_exact(PANEL).enumerate() {
                        values[to + index * panel..][..PANEL].copy_from_slice(from);
                    }
                }
            }
        }
        PackedImages { values, rows, columns, pixel, panel, batch_block }
    }

    /// The item's results, by the taps that lie inside the image for them.
    fn tap_groups<const PANEL: usize, const BATCH_BLOCK: usize>(
        &self,
        images: &PackedImages,
    ) -> Vec<TapGroup> {
        let job = self.job;
        let rows = group_by_taps(&job.lines[0][self.item.rows.clone()]);
        let columns = group_by_taps(&job.lines[1][self.item.columns.clone()]);
        let mut groups = Vec::with_capacity(rows.len() * columns.len());
        for rows in &rows {
            for columns in &columns {
                groups.push(TapGroup {
                    runs: self.runs::<PANEL>(images, rows[0], columns[0]),
                    pixels: self.pixels::<BATCH_BLOCK>(images, rows, columns),
                });
            }
        }
        groups
    }

    /// The runs of a result of this row and column of the target.
    fn runs<const PANEL: usize>(
        &self,
        images: &PackedImages,
        row: &TargetLine,
        column: &TargetLine,
    ) -> Vec<[usize; 2]> {
        let channels = self.job.channels[0];
        let mut runs = Vec::with_capacity(row.reads.len() * column.reads.len() * channels / PANEL);
        for y in &row.reads {
            for x in &column.reads {
                let pixel = (y.at - first_read(row)) * images.columns.len() + x.at - first_read(column);
                let tap = y.tap * self.job.shape.kernel[1] + x.tap;
                for panel in 0..channels / PANEL {
                    runs.push([panel * images.panel + pixel * images.pixel, tap * channels + panel * PANEL]);
                }
            }
        }
        runs
    }

    /// The results of these rows and columns of the target.
    fn pixels<const BATCH_BLOCK: usize>(
        &self,
        images: &PackedImages,
        rows: &[&TargetLine],
        columns: &[&TargetLine],
    ) -> Vec<BlockPixel> {
        let ([height, width], produced) = (self.job.target_size, self.job.channels[1]);
        let mut pixels = Vec::new();
        for (index, image) in self.item.images.clone().step_by(BATCH_BLOCK).enumerate() {
            for row in rows {
                for column in columns {
                    let pixel = first_read(row).saturating_sub(images.rows.start) * images.columns.len()
                        + first_read(column).saturating_sub(images.columns.start);
                    pixels.push(BlockPixel {
                        source: index * images.batch_block + pixel * images.pixel,
                        target: ((image * height + row.index) * width + column.index) * produced,
                        images: BATCH_BLOCK.min(self.item.images.end - image),
                    });
                }
            }
        }
        pixels
    }

    /// A block of channels of `R` results.
    ///
    /// # Safety
    /// Every pixel plus every run must lie in the packed images, and the block's channels of every pixel's images in a part of
    /// the target that nobody else uses.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const BATCH_BLOCK: usize, const V: usize, const PANEL: usize>(
        &self,
        packed: &PackedImages,
        runs: &[[usize; 2]],
        pixels: &[BlockPixel],
        block: &Block,
    ) {
        let job = self.job;
        let bias = initial_sums::<S, V>(job.bias, block.first, block.channels);
        let image = job.target_size[0] * job.target_size[1] * job.channels[1];
        // SAFETY: granted by the caller.
        unsafe {
            let groups = each(|r| packed.values.as_ptr().add(pixels[r].source));
            let weights = job.packed.block(0, block).as_ptr();
            let sums = convolve_batch_blocked::<S, R, BATCH_BLOCK, V, PANEL>(groups, runs, weights, bias);
            let mut counts = [0; R];
            for (count, pixel) in counts.iter_mut().zip(pixels) {
                *count = pixel.images;
            }
            let target = job.target.values.get().add(block.first);
            let of_image = |r: usize, index: usize| target.add(pixels[r].target + index * image);
            store_tiles::<S, R, BATCH_BLOCK, V>(&sums, counts, of_image, block.channels, job.activation);
        }
    }
}

/// The first row or column of the source that a line reads, 0 if it reads none.
fn first_read(line: &TargetLine) -> usize {
    line.reads.first().map_or(0, |read| read.at)
}

/// The rows or columns of the source that these lines read.
fn source_range(lines: &[TargetLine]) -> Range<usize> {
    let reads = || lines.iter().flat_map(|line| &line.reads).map(|read| read.at);
    match (reads().min(), reads().max()) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}

/// Rows or columns, those with the same taps together.
fn group_by_taps(lines: &[TargetLine]) -> Vec<Vec<&TargetLine>> {
    let mut groups: Vec<Vec<&TargetLine>> = Vec::new();
    let taps = |line: &TargetLine| line.reads.iter().map(|read| read.tap).collect::<Vec<_>>();
    for line in lines {
        match groups.iter_mut().find(|group| taps(group[0]) == taps(line)) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups
}
