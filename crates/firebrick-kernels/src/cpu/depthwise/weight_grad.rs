//! The gradient of the weight, and of the bias.
//!
//! For a tap it is the sum over the results of the input there times the gradient. The order of additions is fixed by the
//! shape alone: the columns of a row, the rows of a shard of the batch, then shards.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::channels::{Channels, read};
use crate::cpu::engine::Engine;
use crate::cpu::parallel::{items_for, parallel_for, part, threads_for};
use crate::cpu::pass::Pass;
use crate::cpu::problem::{ConvGradients, Parameters};
use crate::cpu::scratch::{Scratch, SharedOut};
use crate::cpu::shape::{ConvShape, Direction};
use crate::cpu::shards::add_shards;
use crate::cpu::simd::{F32s, add, each, lanes, mul_add, splat, store_first};
use crate::cpu::source::{Source, SourceImages};
use crate::cpu::window::Window;

/// Shards of the batch, each with its own sums. Part of the order of additions.
const SHARDS: usize = 8;

/// Channels that an item has all of or none.
const PART_CHANNELS: usize = 64;

/// Taps of a row in one register tile.
const TILE_TAPS: usize = 3;

/// Everything that the items share.
struct Job<'a> {
    shape: &'a ConvShape,
    pass: &'a Pass,
    input: &'a [f32],
    gradient: SourceImages<'a>,
    has_bias: bool,
    /// For every shard `[tap][channel]`, then the bias's.
    sums: SharedOut,
    shard_len: usize,
}

/// Some channels of a shard of the batch.
struct Item {
    shard: usize,
    images: Range<usize>,
    channels: Range<usize>,
}

/// Gradients of the weight, and of the bias if it is wanted.
pub(in crate::cpu) fn run(
    engine: Engine,
    shape: &ConvShape,
    input: &[f32],
    gradient: SourceImages<'_>,
    parameters: Parameters,
) -> ConvGradients {
    let pass = &Pass::all(shape, Direction::Forward)[0];
    let (channels, taps) = (shape.groups, pass.taps.len());
    let has_bias = parameters == Parameters::WeightAndBias;
    let shards = SHARDS.min(shape.batch);
    let shard_len = (taps + usize::from(has_bias)) * channels;
    let mut sums = Scratch::zeroed(shards * shard_len);
    let target = SharedOut::new(sums.as_mut_ptr());
    let job = Job { shape, pass, input, gradient, has_bias, sums: target, shard_len };
    let threads = threads_for(shape, channels);
    let items = job.items(shards, items_for(shape, threads, 1));
    parallel_for(items, threads, |item| engine.isa.run(RunItem { job: &job, item }));
    let (total, others) = sums.split_at_mut(shard_len);
    add_shards(engine, total, others);
    let (of_weight, of_bias) = total.split_at(taps * channels);
    let mut weight = Vec::with_capacity(taps * channels);
    for channel in 0..channels {
        weight.extend(of_weight[channel..].iter().step_by(channels));
    }
    ConvGradients { weight, bias: has_bias.then(|| of_bias.to_vec()) }
}

impl Job<'_> {
    /// Split into shards (fixed) and some channels (free).
    fn items(&self, shards: usize, wanted: usize) -> Vec<Item> {
        let (batch, channels) = (self.shape.batch, self.shape.groups);
        let whole = channels.div_ceil(PART_CHANNELS);
        let parts = wanted.div_ceil(shards).min(whole);
        let end = |part: usize| (whole * part / parts * PART_CHANNELS).min(channels);
        let of_shard = |shard: usize| {
            let images = part(batch, shard, shards);
            (0..parts).map(move |part| Item {
                shard,
                images: images.clone(),
                channels: end(part)..end(part + 1),
            })
        };
        (0..shards).flat_map(of_shard).collect()
    }
}

/// One item.
struct RunItem<'a> {
    job: &'a Job<'a>,
    item: Item,
}

/// Neighbouring taps of a kernel's row.
struct Taps {
    first: usize,
    count: usize,
    /// Rows of results for which they lie inside the image.
    rows: Range<usize>,
    /// Columns of results for which each lies inside the image.
    columns: [Range<usize>; TILE_TAPS],
}

impl Taps {
    /// Columns for which all taps lie inside the image; if there are none, a range beyond all columns.
    #[inline(always)]
    fn common_columns(&self) -> Range<usize> {
        let first = self.columns.iter().fold(0, |first, columns| first.max(columns.start));
        let end = self.columns.iter().fold(usize::MAX, |end, columns| end.min(columns.end));
        if first < end { first..end } else { usize::MAX..usize::MAX }
    }
}

impl WithSimd for RunItem<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let job = self.job;
        let (channels, [height, width]) = (job.shape.groups, job.pass.count);
        let blocks = Channels::blocks(&self.item.channels, lanes::<S>());
        let taps = self.taps();
        let whole = Window { origin: [0, 0], size: job.pass.count };
        let mut copy = Scratch::take(match job.gradient.values {
            Source::Plain(_) => 0,
            _ => whole.len(channels),
        });
        let input_len = job.shape.input[0] * job.shape.input[1] * channels;
        for image in self.item.images.clone() {
            let input = &job.input[image * input_len..][..input_len];
            let gradient = match job.gradient.values {
                Source::Plain(values) => &values[image * height * width * channels..],
                _ => {
                    job.gradient.copy::<S>(image, &whole, &mut copy);
                    &copy[..]
                }
            };
            for row in 0..height {
                let gradient = &gradient[row * width * channels..][..width * channels];
                for block in &blocks {
                    self.block::<S>(input, gradient, row, block, &taps);
                }
            }
        }
    }
}

impl RunItem<'_> {
    /// The taps, some neighbours of a row at a time.
    fn taps(&self) -> Vec<Taps> {
        let job = self.job;
        let results = |tap: usize, axis: usize| job.pass.results_of_tap(tap, axis, job.shape.input[axis]);
        let columns = job.shape.kernel[1];
        let mut all = Vec::new();
        for row in 0..job.shape.kernel[0] {
            for column in (0..columns).step_by(TILE_TAPS) {
                let (first, count) = (row * columns + column, TILE_TAPS.min(columns - column));
                all.push(Taps {
                    first,
                    count,
                    rows: results(first, 0),
                    columns: std::array::from_fn(|tap| results(first + tap.min(count - 1), 1)),
                });
            }
        }
        all
    }

    /// Add one row of results to the sums of a block of channels.
    #[inline(always)]
    fn block<S: Simd>(&self, input: &[f32], gradient: &[f32], row: usize, block: &Channels, taps: &[Taps]) {
        for taps in taps.iter().filter(|taps| taps.rows.contains(&row)) {
            macro_rules! row {
                ($taps:tt by $registers:tt, $whole:tt) => {
                    self.row::<S, $taps, $registers, $whole>(input, gradient, row, block, taps)
                };
            }
            match (taps.count, block.count / lanes::<S>()) {
                (3, 4) => row!(3 by 4, true),
                (3, 2) => row!(3 by 2, true),
                (3, 1) => row!(3 by 1, true),
                (3, _) => row!(3 by 1, false),
                (2, 4) => row!(2 by 4, true),
                (2, 2) => row!(2 by 2, true),
                (2, 1) => row!(2 by 1, true),
                (2, _) => row!(2 by 1, false),
                (_, 4) => row!(1 by 4, true),
                (_, 2) => row!(1 by 2, true),
                (_, 1) => row!(1 by 1, true),
                _ => row!(1 by 1, false),
            }
        }
        if self.job.has_bias {
            match block.count / lanes::<S>() {
                4 => self.bias_row::<S, 4, true>(gradient, block),
                2 => self.bias_row::<S, 2, true>(gradient, block),
                1 => self.bias_row::<S, 1, true>(gradient, block),
                _ => self.bias_row::<S, 1, false>(gradient, block),
            }
        }
    }

    /// The pixel that a tap reads for the first result of a row, which may lie beside the image.
    #[inline(always)]
    fn first_pixel(&self, input: &[f32], row: usize, tap: usize) -> *const f32 {
        let (pass, shape) = (self.job.pass, self.job.shape);
        let [y, x] = [(0, row), (1, 0)].map(|(axis, result)| {
            let at = result * pass.step[axis] + pass.tap_offsets[tap][axis];
            pass.window.origin[axis] + at.cast_signed()
        });
        let pixel = y * shape.input[1].cast_signed() + x;
        input.as_ptr().wrapping_offset(pixel * shape.groups.cast_signed())
    }

    /// Add one row of results to the sums of `T` taps.
    #[inline(always)]
    fn row<S: Simd, const T: usize, const V: usize, const WHOLE: bool>(
        &self,
        input: &[f32],
        gradient: &[f32],
        row: usize,
        block: &Channels,
        taps: &Taps,
    ) {
        let channels = self.job.shape.groups;
        let width = lanes::<S>();
        let start = |tap: usize| self.first_pixel(input, row, taps.first + tap).wrapping_add(block.first);
        let starts: [*const f32; T] = each(start);
        let step = self.job.pass.step[1] * channels;
        let gradient = gradient.as_ptr().wrapping_add(block.first);
        let common = taps.common_columns();
        let mut sums = [[splat::<S>(0.0); V]; T];
        // SAFETY: each tap lies in the image for its columns, and the gradient has a value for each; whole
        // blocks have whole registers.
        unsafe {
            let product = |tap: usize, column: usize, v: usize, gradient: F32s<S>, sum: F32s<S>| {
                let value = starts[tap].wrapping_add(column * step + v * width);
                mul_add::<S>(read::<S, WHOLE>(value, block.count), gradient, sum)
            };
            let of_column = |column: usize, v: usize| {
                read::<S, WHOLE>(gradient.wrapping_add(column * channels + v * width), block.count)
            };
            for (tap, sums) in sums.iter_mut().enumerate() {
                let columns = &taps.columns[tap];
                for column in columns.start..columns.end.min(common.start) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = product(tap, column, v, of_column(column, v), *sum);
                    }
                }
            }
            for column in common.clone() {
                let gradient: [F32s<S>; V] = each(|v| of_column(column, v));
                for (tap, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = product(tap, column, v, gradient[v], *sum);
                    }
                }
            }
            for (tap, sums) in sums.iter_mut().enumerate() {
                for column in common.end..taps.columns[tap].end {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = product(tap, column, v, of_column(column, v), *sum);
                    }
                }
            }
            for (tap, sums) in sums.iter().enumerate() {
                self.add_to::<S, V, WHOLE>(taps.first + tap, block, sums);
            }
        }
    }

    /// Add one row of results to the bias's sums.
    #[inline(always)]
    fn bias_row<S: Simd, const V: usize, const WHOLE: bool>(&self, gradient: &[f32], block: &Channels) {
        let mut sums = [splat::<S>(0.0); V];
        for pixel in gradient.chunks_exact(self.job.shape.groups) {
            for (v, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block's channels are part of a pixel.
                let value = unsafe {
                    read::<S, WHOLE>(pixel.as_ptr().add(block.first + v * lanes::<S>()), block.count)
                };
                *sum = add::<S>(*sum, value);
            }
        }
        // SAFETY: with a bias there is a line after the taps'.
        unsafe { self.add_to::<S, V, WHOLE>(self.job.pass.taps.len(), block, &sums) };
    }

    /// Add to a line of the shard's sums.
    ///
    /// # Safety
    /// The line must exist.
    #[inline(always)]
    unsafe fn add_to<S: Simd, const V: usize, const WHOLE: bool>(
        &self,
        line: usize,
        block: &Channels,
        sums: &[F32s<S>; V],
    ) {
        let start = self.item.shard * self.job.shard_len + line * self.job.shape.groups + block.first;
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: granted by the caller; these channels of the shard are this item's alone.
            unsafe {
                let at = self.job.sums.get().add(start + v * lanes::<S>());
                let sum = add::<S>(read::<S, WHOLE>(at, block.count), sum);
                store_first::<S>(at, sum, block.count.min(lanes::<S>()));
            }
        }
    }
}
