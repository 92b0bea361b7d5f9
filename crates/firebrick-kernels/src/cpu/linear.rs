//! Linear layers with fewer rows than what they sum over: each part of a block of the weight is brought into the tiles'
//! order just before all rows are multiplied by it, so that the weight is read once and its copy never leaves the core. The
//! order of additions is that of `direct.rs`.

use macerator::{Simd, WithSimd};

use super::Engine;
use super::direct::{ITEMS_PER_THREAD, LONG_SUM};
use super::engine::Convolution;
use super::pack::{Block, Direction, Lines, Strides, Widest, blocks};
use super::results::first_sums;
use super::scratch::Scratch;
use super::shape::ConvShape;
use super::share::{share, threads_for};
use super::simd::{add, copy_floats, each, lanes, load, prefetch, splat, store, store_first};
use super::source::{Finish, Source, Target, relu};
use super::tile::{convolve, tile_pixels};
use super::weight_grad::Lanes;

/// How many lines ahead of the one that is copied the weight is asked for: they lie so far apart that the hardware does not
/// guess them.
const LINES_AHEAD: usize = 12;

/// Floats of a cache line.
const CACHE_LINE: usize = 16;

/// Floats of a weight from which on it is worth sharing among threads.
const SHARED_FLOATS: usize = 1 << 14;

/// Whether a layer is computed here. Threads share its blocks of channels, so there must be enough of them; and more rows
/// than products of a sum would go through the caches for every block.
pub(crate) fn applies(engine: Engine, shape: &ConvShape, direction: Direction) -> bool {
    let [summed, produced] = direction.group_channels(shape);
    let blocks = produced / (2 * engine.isa.run(Lanes));
    shape.is_linear()
        && shape.weight_len() >= SHARED_FLOATS
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
    finish: Finish,
    target: Target,
}

/// A layer's results, or the gradient of its input; `target` is written completely.
///
/// # Safety
/// `target` must be writable for every value of the produced tensor, and not otherwise used meanwhile.
pub(crate) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, finish, target } = convolution;
    let rows;
    let source = match source.values {
        Source::Plain(values) => values,
        _ => {
            rows = engine.plain_rows(source, shape.batch);
            &rows
        }
    };
    let [summed, produced] = direction.group_channels(shape);
    let job = Job { shape, direction, source, summed, produced, weight, bias, finish, target };
    let (lanes, threads) = (engine.isa.run(Lanes), threads_for(shape, produced));
    let is_wide = lanes == 16 && produced / (4 * lanes) >= ITEMS_PER_THREAD * threads;
    let items = blocks(produced, lanes, if is_wide { Widest::Four } else { Widest::Two });
    share(items, threads, |block| engine.isa.run(RunBlock { job: &job, block }));
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
        match (tile_pixels(lanes::<S>(), LONG_SUM), self.block.registers) {
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
    /// In tiles of `P` rows by `V` registers.
    #[inline(always)]
    fn run<S: Simd, const P: usize, const V: usize>(self) {
        let (job, block, width) = (self.job, &self.block, lanes::<S>());
        let (rows, line) = (job.shape.batch, V * width);
        let mut weights = Scratch::take(LONG_SUM.min(job.summed) * line);
        let mut totals = Scratch::take(rows.next_multiple_of(P) * line);
        let first = first_sums::<S, V>(job.bias, block.first, block.channels);
        // A short sum goes on from the bias; the parts of a long one are added to it.
        let in_parts = job.summed > LONG_SUM;
        let begin = if in_parts { [splat::<S>(0.0); V] } else { first };
        for start in (0..job.summed).step_by(LONG_SUM) {
            let len = LONG_SUM.min(job.summed - start);
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
                            let total = match (in_parts, start) {
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
        for (row, totals) in totals.chunks_exact(line).take(rows).enumerate() {
            for v in 0..V {
                let count = block.channels.saturating_sub(v * width).min(width);
                // SAFETY: a line has `V` registers; these channels of each row are this item's alone.
                unsafe {
                    let total = load::<S>(totals.as_ptr().add(v * width));
                    let total = if job.finish == Finish::Relu { relu::<S>(total) } else { total };
                    let at = row * job.produced + block.first + v * width;
                    store_first::<S>(job.target.values.get().add(at), total, count);
                }
            }
        }
    }

    /// Bring some lines of the weight, from `start` on, into the tiles' order.
    #[inline(always)]
    fn pack<S: Simd>(&self, start: usize, target: &mut [f32]) {
        let (job, block) = (self.job, &self.block);
        let line = block.registers * lanes::<S>();
        let mut from = Strides::new(job.shape, job.direction, 0, block);
        from.start += start * from.summed;
        if from.produced != 1 || block.channels != line {
            return Lines::of_rows(target.len() / line, from.summed)
                .pack_block(&from, job.weight, block, target);
        }
        for (index, target) in target.chunks_exact_mut(line).enumerate() {
            let source = &job.weight[from.start + index * from.summed..][..line];
            for ahead in (0..line).step_by(CACHE_LINE) {
                prefetch(source.as_ptr().wrapping_add(LINES_AHEAD * from.summed + ahead));
            }
            copy_floats::<S>(source, target);
        }
    }
}
