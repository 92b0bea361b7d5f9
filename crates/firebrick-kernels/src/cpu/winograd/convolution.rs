//! Convolution (and the gradient of its input) by Winograd's algorithm.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::grid::{Grid, Part};
use super::input::InputPoints;
use super::sizes::{POINTS, PRODUCTS};
use super::transform::{OutputTransform, Square, both_axes, load_square};
use super::weights::{PointWeights, TransformWeights};
use crate::cpu::activation::{FusedActivation, relu};
use crate::cpu::cache::odd_cache_lines;
use crate::cpu::engine::Engine;
use crate::cpu::epilogue::{initial_sums, pool};
use crate::cpu::microkernel::{convolve, tile_rows};
use crate::cpu::pack::Block;
use crate::cpu::parallel::{ITEMS_PER_THREAD, items_for, parallel_for, part, threads_for};
use crate::cpu::pass::Pass;
use crate::cpu::problem::{Convolution, Target};
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::{F32s, add, each, lanes, splat, store, store_first};
use crate::cpu::source::SourceImages;

/// Floats of one part's values at the points that stay in the second-level cache with the weights.
const PART_FLOATS: usize = 160 * 1024;

/// Everything that the items share.
struct Job<'a> {
    grid: Grid,
    source: SourceImages<'a>,
    weights: &'a PointWeights,
    produced: usize,
    bias: Option<&'a [f32]>,
    activation: FusedActivation,
    target: Target,
}

/// Some tiles, some blocks of produced channels.
struct Item {
    part: Part,
    blocks: Range<usize>,
}

/// Convolve `source` in one direction into `target`, which is written completely.
///
/// # Safety
/// `target` must be writable for every value of the produced tensor, and not otherwise used meanwhile.
pub(in crate::cpu) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, activation, target } = convolution;
    let [summed, produced] = direction.group_channels(shape);
    let pass = &Pass::all(shape, direction)[0];
    let weights = TransformWeights { shape, direction, pass, weight }.run(engine.isa);
    let grid = Grid::new(shape, pass);
    let job = Job { grid, source, weights: &weights, produced, bias, activation, target };
    let threads = threads_for(shape, produced);
    let wanted = items_for(shape, threads, ITEMS_PER_THREAD);
    let tiles = (PART_FLOATS / (PRODUCTS * (summed + produced) / 2))
        .clamp(16, 128)
        .min(grid.total().div_ceil(wanted))
        .max(8);
    let parts = grid.parts(0..shape.batch, tiles);
    let splits = wanted.div_ceil(parts.len()).min(weights.blocks.len()).max(1);
    let blocks = |index: usize| part(weights.blocks.len(), index, splits);
    let items: Vec<Item> = parts
        .iter()
        .flat_map(|part| (0..splits).map(move |index| Item { part: part.clone(), blocks: blocks(index) }))
        .collect();
    parallel_for(items, threads, |item| engine.isa.run(RunItem { job: &job, item }));
}

/// One item.
struct RunItem<'a> {
    job: &'a Job<'a>,
    item: Item,
}

impl WithSimd for RunItem<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let tiles = self.job.grid.len(&self.item.part);
        let width = lanes::<S>();
        let inputs = InputPoints::new::<S>(&self.job.grid, &self.job.source, &self.item.part);
        let pixel = self.job.produced.next_multiple_of(width);
        let plane = odd_cache_lines(tiles * pixel);
        let mut sums = Scratch::take(PRODUCTS * plane);
        let sums = Sums { start: sums.as_mut_ptr(), plane, pixel };
        match tile_rows(width, 0) {
            6 => self.multiply::<S, 6>(&inputs, &sums, tiles),
            _ => self.multiply::<S, 8>(&inputs, &sums, tiles),
        }
        match self.job.grid.tile {
            2 => self.transform_sums::<S, 2>(&sums),
            4 => self.transform_sums::<S, 4>(&sums),
            tile => unreachable!("bug: Winograd's algorithm with tiles of {tile}"),
        }
    }
}

/// Sums at the points: `[point][tile][produced channel]`.
struct Sums {
    start: *mut f32,
    plane: usize,
    pixel: usize,
}

impl RunItem<'_> {
    /// The matrix products, one for each point.
    #[inline(always)]
    fn multiply<S: Simd, const P: usize>(&self, inputs: &InputPoints, sums: &Sums, tiles: usize) {
        for point in 0..PRODUCTS {
            for block in &self.job.weights.blocks[self.item.blocks.clone()] {
                // SAFETY: inputs and sums have `tiles` lines at every point.
                unsafe {
                    match block.registers {
                        1 => self.multiply_block::<S, P, 1>(point, block, inputs, sums, tiles),
                        _ => self.multiply_block::<S, P, 2>(point, block, inputs, sums, tiles),
                    }
                }
            }
        }
    }

    /// One block of produced channels at one point.
    ///
    /// # Safety
    /// `inputs` and `sums` must have `tiles` lines at `point`.
    #[inline(always)]
    unsafe fn multiply_block<S: Simd, const P: usize, const V: usize>(
        &self,
        point: usize,
        block: &Block,
        inputs: &InputPoints,
        sums: &Sums,
        tiles: usize,
    ) {
        let weights = self.job.weights.block(point, block);
        for first in (0..tiles).step_by(P) {
            let count = P.min(tiles - first);
            // SAFETY: lines `first..first + count` exist; a tile that is not full repeats its last.
            unsafe {
                let lines = inputs.values.as_ptr().add(point * inputs.plane);
                let lines = each(|p| lines.add((first + p.min(count - 1)) * inputs.pixel));
                let zero = [[splat::<S>(0.0); V]; P];
                let tile = convolve::<S, P, V>(lines, &[0], self.job.weights.summed, weights, zero);
                let target = sums.start.add(point * sums.plane + first * sums.pixel + block.first);
                for (p, line) in tile.iter().enumerate().take(count) {
                    for (v, &value) in line.iter().enumerate() {
                        store::<S>(target.add(p * sums.pixel + v * lanes::<S>()), value);
                    }
                }
            }
        }
    }

    /// Transform the sums to results and store them.
    #[inline(always)]
    fn transform_sums<S: Simd, const M: usize>(&self, sums: &Sums) {
        let (job, grid, part) = (self.job, &self.job.grid, &self.item.part);
        // With pooling a tile stores a quarter of its results in an image of a quarter of the size.
        let scale = if job.target.codes.is_some() { 2 } else { 1 };
        let [height, width] = grid.results.map(|size| size / scale);
        let mut tile = 0;
        for image in part.images.clone() {
            for tile_row in part.rows.clone() {
                for tile_column in 0..grid.tiles[1] {
                    let (top, left) = (tile_row * M / scale, tile_column * M / scale);
                    let inside = [height.saturating_sub(top), width.saturating_sub(left)];
                    let corner = ((image * height + top) * width + left) * job.produced;
                    for block in &job.weights.blocks[self.item.blocks.clone()] {
                        for register in 0..block.registers {
                            let offset = register * lanes::<S>();
                            let count = block.channels.saturating_sub(offset).min(lanes::<S>());
                            let channel = block.first + offset;
                            let [bias] = initial_sums::<S, 1>(job.bias, channel, count);
                            let place = OutputTile {
                                at: corner + channel,
                                pitch: width * job.produced,
                                inside,
                                count,
                            };
                            // SAFETY: the sums of this tile and block exist at every point; the
                            // results inside the image belong to this item alone.
                            unsafe {
                                let source = sums.start.add(tile * sums.pixel + channel);
                                let points =
                                    load_square::<S, POINTS>(source, [POINTS * sums.plane, sums.plane]);
                                self.store_tile::<S, M>(points, bias, place);
                            }
                        }
                    }
                    tile += 1;
                }
            }
        }
    }

    /// One tile's results in one register of channels.
    ///
    /// # Safety
    /// The target must be writable at `place`.
    #[inline(always)]
    unsafe fn store_tile<S: Simd, const M: usize>(
        &self,
        points: Square<S, POINTS>,
        bias: F32s<S>,
        place: OutputTile,
    ) {
        let (activation, target, channels) = (self.job.activation, self.job.target, self.job.produced);
        let results = both_axes::<S, OutputTransform, POINTS, M>(points);
        if let Some(codes) = target.codes {
            for row in 0..M / 2 {
                for column in 0..M / 2 {
                    let (y, x) = (2 * row, 2 * column);
                    let four = [results[y][x], results[y][x + 1], results[y + 1][x], results[y + 1][x + 1]];
                    let (value, code) = pool::<S>(add_bias::<S>(four, bias), activation);
                    if row < place.inside[0] && column < place.inside[1] {
                        let at = place.at + row * place.pitch + column * channels;
                        // SAFETY: granted by the caller.
                        unsafe {
                            store_first::<S>(target.values.get().add(at), value, place.count);
                            store_first::<S>(codes.get().add(at), code, place.count);
                        }
                    }
                }
            }
            return;
        }
        for row in 0..M {
            for column in 0..M {
                let value = add::<S>(results[row][column], bias);
                let value = if activation == FusedActivation::Relu { relu::<S>(value) } else { value };
                if row < place.inside[0] && column < place.inside[1] {
                    let at = place.at + row * place.pitch + column * channels;
                    // SAFETY: granted by the caller.
                    unsafe { store_first::<S>(target.values.get().add(at), value, place.count) };
                }
            }
        }
    }
}

/// Where a tile's results go in the target.
#[derive(Clone, Copy)]
struct OutputTile {
    /// First float of the first result.
    at: usize,
    /// Floats from one row of results to the next.
    pitch: usize,
    /// Rows and columns that lie inside the image.
    inside: [usize; 2],
    /// Channels that exist.
    count: usize,
}

/// Add the bias to four results.
#[inline(always)]
fn add_bias<S: Simd>(mut values: [F32s<S>; 4], bias: F32s<S>) -> [F32s<S>; 4] {
    for value in &mut values {
        *value = add::<S>(*value, bias);
    }
    values
}
