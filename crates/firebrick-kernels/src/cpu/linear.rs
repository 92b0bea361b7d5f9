//! Linear layers with fewer rows than products in a sum: each part of a block of the weight is packed just before all rows are
//! multiplied by it, so that the weight is read once and its packed copy never leaves the core's cache. The order of additions
//! is that of direct convolution.

use macerator::{Simd, WithSimd};

use super::activation::{FusedActivation, relu};
use super::cache::CACHE_LINE_FLOATS;
use super::engine::Engine;
use super::epilogue::initial_sums;
use super::microkernel::{DEPTH_BLOCK, convolve, tile_rows};
use super::pack::{Block, MaxRegisters, PanelLines, WeightStrides, blocks};
use super::parallel::{ITEMS_PER_THREAD, parallel_for, threads_for};
use super::problem::{Convolution, Target};
use super::scratch::Scratch;
use super::shape::{ConvShape, Direction};
use super::simd::{add, copy_floats, each, lanes, load, prefetch, splat, store, store_first};
use super::source::{Source, plain_rows};

/// How many lines ahead of the one that is copied the weight is prefetched: they lie so far apart that the hardware prefetcher
/// does not foresee them.
const PREFETCH_LINES: usize = 12;

/// Floats of a weight from which on it is worth sharing among threads.
const MIN_WEIGHT_FLOATS: usize = 1 << 14;

/// Whether a layer is computed here. Threads share its blocks of channels, so there must be enough of them; and more rows
/// than products of a sum would go through the caches for every block.
pub(crate) fn applies(engine: Engine, shape: &ConvShape, direction: Direction) -> bool {
    let [summed, produced] = direction.group_channels(shape);
    let blocks = produced / (2 * engine.isa.lanes());
    shape.is_linear()
        && shape.weight_len() >= MIN_WEIGHT_FLOATS
        && shape.batch <= summed
        && blocks >= threads_for(shape, produced)
}

/// Everything that the items share.
struct Job<'a> {
    shape: &'a ConvShape,
    direction: Direction,
    /// `[row][summed]`.
    source: &'a [f32],
    summed: usize,
    produced: usize,
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    activation: FusedActivation,
    target: Target,
}

/// A layer's results, or the gradient of its input; `target` is written completely.
///
/// # Safety
/// `target` must be writable for every value of the produced tensor, and not otherwise used meanwhile.
pub(crate) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, activation, target } = convolution;
    let rows;
    let source = match source.values {
        Source::Plain(values) => values,
        _ => {
            rows = plain_rows(engine, source, shape.batch);
            &rows
        }
    };
    let [summed, produced] = direction.group_channels(shape);
    let job = Job { shape, direction, source, summed, produced, weight, bias, activation, target };
    let (lanes, threads) = (engine.isa.lanes(), threads_for(shape, produced));
    let has_many = lanes == 16 && produced / (4 * lanes) >= ITEMS_PER_THREAD * threads;
    let items = blocks(produced, lanes, if has_many { MaxRegisters::Four } else { MaxRegisters::Two });
    parallel_for(items, threads, |block| engine.isa.run(RunBlock { job: &job, block }));
}

/// One block of channels of all rows.
struct RunBlock<'a> {
    job: &'a Job<'a>,
    block: Block,
}

impl WithSimd for RunBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        // Those of other instruction sets vanish in compilation.
        match (tile_rows(lanes::<S>(), DEPTH_BLOCK), self.block.registers) {
            (6, 1) => self.run::<S, 6, 1>(),
            (6, _) => self.run::<S, 6, 2>(),
            (12, 1) => self.run::<S, 12, 1>(),
            (12, 2) => self.run::<S, 12, 2>(),
            (12, _) => self.run::<S, 6, 4>(),
            (_, 1) => self.run::<S, 8, 1>(),
            (..) => self.run::<S, 8, 2>(),
        }
    }
}

impl RunBlock<'_> {
    /// Compute it in tiles of `P` rows by `V` registers.
    #[inline(always)]
    fn run<S: Simd, const P: usize, const V: usize>(self) {
        let (job, block, width) = (self.job, &self.block, lanes::<S>());
        let (rows, line) = (job.shape.batch, V * width);
        let mut weights = Scratch::take(DEPTH_BLOCK.min(job.summed) * line);
        let mut totals = Scratch::take(rows.next_multiple_of(P) * line);
        let first = initial_sums::<S, V>(job.bias, block.first, block.channels);
        // A short sum goes on from the bias; the parts of a long one are added to it.
        let is_depth_blocked = job.summed > DEPTH_BLOCK;
        let begin = if is_depth_blocked { [splat::<S>(0.0); V] } else { first };
        for start in (0..job.summed).step_by(DEPTH_BLOCK) {
            let len = DEPTH_BLOCK.min(job.summed - start);
            self.pack::<S>(start, &mut weights[..len * line]);
            for row in (0..rows).step_by(P) {
                // SAFETY: each row has `summed` values (a tile that is not full repeats the last one), the part of the weight
                // has a line for each, and the totals one for each row of each tile.
                unsafe {
                    let row_of = |p: usize| (row + p).min(rows - 1) * job.summed;
                    let pixels: [*const f32; P] = each(|p| job.source.as_ptr().add(row_of(p)));
                    let part = convolve::<S, P, V>(pixels, &[start], len, weights.as_ptr(), [begin; P]);
                    let totals = totals.as_mut_ptr().add(row * line);
                    for (p, part) in part.iter().enumerate() {
                        for (v, &part) in part.iter().enumerate() {
                            let at = totals.add(p * line + v * width);
                            let total = match (is_depth_blocked, start) {
                                (false, _) => part,
                                (true, 0) => add::<S>(first[v], part),
                                (true, _) => add::<S>(load::<S>(at), part),
                            };
                            store::<S>(at, total);
                        }
                    }
                }
            }
        }
        self.store::<S, V>(&totals);
    }

    /// Apply the activation to the sums of all rows and write them to the target.
    #[inline(always)]
    fn store<S: Simd, const V: usize>(&self, totals: &[f32]) {
        let (job, block, width) = (self.job, &self.block, lanes::<S>());
        for (row, totals) in totals.chunks_exact(V * width).take(job.shape.batch).enumerate() {
            for v in 0..V {
                let count = block.channels.saturating_sub(v * width).min(width);
                // SAFETY: a line has `V` registers; these channels of each row are this item's alone.
                unsafe {
                    let total = load::<S>(totals.as_ptr().add(v * width));
                    let total =
                        if job.activation == FusedActivation::Relu { relu::<S>(total) } else { total };
                    let at = row * job.produced + block.first + v * width;
                    store_first::<S>(job.target.values.get().add(at), total, count);
                }
            }
        }
    }

    /// Pack some lines of the weight, from `start` on.
    #[inline(always)]
    fn pack<S: Simd>(&self, start: usize, target: &mut [f32]) {
        let (job, block) = (self.job, &self.block);
        let line = block.registers * lanes::<S>();
        let mut from = WeightStrides::new(job.shape, job.direction, 0, block);
        from.start += start * from.summed;
        if from.produced != 1 || block.channels != line {
            return PanelLines::of_rows(target.len() / line, from.summed)
                .pack_block(&from, job.weight, block, target);
        }
        for (index, target) in target.chunks_exact_mut(line).enumerate() {
            let source = &job.weight[from.start + index * from.summed..][..line];
            for ahead in (0..line).step_by(CACHE_LINE_FLOATS) {
                prefetch(source.as_ptr().wrapping_add(PREFETCH_LINES * from.summed + ahead));
            }
            copy_floats::<S>(source, target);
        }
    }
}
