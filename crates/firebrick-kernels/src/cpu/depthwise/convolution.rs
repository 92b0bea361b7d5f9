//! Forward passes and input gradients.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::channels::{Channels, by_taps, read};
use crate::cpu::activation::FusedActivation;
use crate::cpu::engine::Engine;
use crate::cpu::epilogue::{initial_sums, store_tiles};
use crate::cpu::microkernel::RegisterTile;
use crate::cpu::parallel::{ITEMS_PER_THREAD, items_for, parallel_for, part, threads_for};
use crate::cpu::pass::Pass;
use crate::cpu::problem::{Convolution, Target};
use crate::cpu::scratch::Scratch;
use crate::cpu::shape::ConvShape;
use crate::cpu::simd::{F32s, each, lanes, mul_add};
use crate::cpu::source::{Source, SourceImages};

/// Neighbouring results of a register tile, so that a register of weights serves them all.
const TILE_PIXELS: usize = 4;

/// Everything that the items of one pass share.
struct Job<'a> {
    pass: &'a Pass,
    source: SourceImages<'a>,
    /// `[tap][channel]`.
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    activation: FusedActivation,
    target: Target,
    /// Height and width of the target images.
    target_size: [usize; 2],
    /// Rows of results by the rows of taps that lie inside the image for them.
    row_groups: Vec<RowGroup>,
}

/// Rows of results for which the same rows of taps lie inside the image.
struct RowGroup {
    rows: Range<usize>,
    segments: Vec<Segment>,
}

/// Columns of such rows for which the same taps lie inside the image.
struct Segment {
    columns: Range<usize>,
    taps: Vec<Tap>,
}

/// A product of a sum.
#[derive(Clone, Copy)]
struct Tap {
    /// Rows and columns of the source from the window's corner.
    offset: [usize; 2],
    /// Where its weights begin.
    weights: usize,
}

/// A part of a pass: some rows of some images.
struct Item {
    images: Range<usize>,
    rows: Range<usize>,
}

/// Convolve `source` in one direction into `target`, which is written completely.
///
/// # Safety
/// `target` must be writable for every value of the produced tensor, and not otherwise used meanwhile; it must not ask for
/// pooling.
pub(in crate::cpu) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, activation, target } = convolution;
    let passes = Pass::all(shape, direction);
    let [_, target_size] = direction.sizes(shape);
    if passes.iter().any(|pass| !pass.has_products()) {
        // SAFETY: granted by the caller; only input gradients have pixels that no output has read.
        unsafe { target.values.get().write_bytes(0, shape.input_len()) };
    }
    let threads = threads_for(shape, shape.groups);
    for pass in passes.iter().filter(|pass| pass.has_products()) {
        let weights = pack(shape, pass, weight);
        let row_groups = row_groups(pass, &source, shape.groups);
        let job = Job { pass, source, weights: &weights, bias, activation, target, target_size, row_groups };
        let wanted = items_for(shape, threads, ITEMS_PER_THREAD);
        parallel_for(job.items(shape.batch, wanted), threads, |item| {
            engine.isa.run(RunItem { job: &job, item })
        });
    }
}

/// The filters of all channels, `[tap][channel]`.
fn pack(shape: &ConvShape, pass: &Pass, weight: &[f32]) -> Scratch {
    let channels = shape.groups;
    let filter = shape.kernel[0] * shape.kernel[1];
    let mut packed = Scratch::take(pass.taps.len() * channels);
    for ([y, x], line) in pass.taps.iter().zip(packed.chunks_exact_mut(channels)) {
        let of_tap = weight[y * shape.kernel[1] + x..].iter().step_by(filter);
        line.iter_mut().zip(of_tap).for_each(|(packed, weight)| *packed = *weight);
    }
    packed
}

/// The results of a pass by the taps that lie inside the image for them: all taps where the source is copied, with a border.
fn row_groups(pass: &Pass, source: &SourceImages<'_>, channels: usize) -> Vec<RowGroup> {
    let all = |axis: usize| vec![(0..pass.count[axis], vec![true; pass.taps.len()])];
    let is_copied = !matches!(source.values, Source::Plain(_));
    let [rows, columns] =
        [0, 1].map(|axis| if is_copied { all(axis) } else { by_taps(pass, axis, source.size[axis]) });
    let row_group = |(rows, by_row): (Range<usize>, Vec<bool>)| {
        let segment = |(columns, by_column): &(Range<usize>, Vec<bool>)| {
            let inside = by_row.iter().zip(by_column).enumerate().filter(|(_, (y, x))| **y && **x);
            let tap = |(tap, _)| Tap { offset: pass.tap_offsets[tap], weights: tap * channels };
            Segment { columns: columns.clone(), taps: inside.map(tap).collect() }
        };
        RowGroup { rows, segments: columns.iter().map(segment).collect() }
    };
    rows.into_iter().map(row_group).collect()
}

impl Job<'_> {
    /// Split the pass; any split gives the same bits.
    fn items(&self, batch: usize, wanted: usize) -> Vec<Item> {
        let rows = self.pass.count[0];
        let groups = wanted.min(batch);
        let bands = wanted.div_ceil(groups).min(rows);
        let group = |index: usize| part(batch, index, groups);
        let band = |index: usize| part(rows, index, bands);
        let of_group = |index| (0..bands).map(move |of| Item { images: group(index), rows: band(of) });
        (0..groups).flat_map(of_group).collect()
    }
}

/// One item of a pass.
struct RunItem<'a> {
    job: &'a Job<'a>,
    item: Item,
}

/// Where an item's rows of one image are read.
struct Rows {
    /// The first pixel of the first result's window: it may lie before the image.
    corner: *const f32,
    /// Floats from one row to the next.
    pitch: usize,
    /// The first row of results that this is about.
    first: usize,
}

impl WithSimd for RunItem<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let (job, channels) = (self.job, self.job.source.channels);
        let blocks = Channels::blocks(&(0..channels), lanes::<S>());
        let window = job.pass.band(self.item.rows.clone());
        let [height, width] = job.source.size;
        let mut copy = Scratch::take(match job.source.values {
            Source::Plain(_) => 0,
            _ => window.len(channels),
        });
        for image in self.item.images.clone() {
            let rows = match job.source.values {
                Source::Plain(values) => {
                    let start = values[image * height * width * channels..].as_ptr();
                    let [y, x] = window.origin;
                    let corner = (y * width.cast_signed() + x) * channels.cast_signed();
                    Rows {
                        corner: start.wrapping_offset(corner),
                        pitch: width * channels,
                        first: self.item.rows.start,
                    }
                }
                _ => {
                    job.source.copy::<S>(image, &window, &mut copy);
                    let pitch = window.size[1] * channels;
                    Rows { corner: copy.as_ptr(), pitch, first: self.item.rows.start }
                }
            };
            for group in &job.row_groups {
                let own = &self.item.rows;
                for row in group.rows.start.max(own.start)..group.rows.end.min(own.end) {
                    for segment in &group.segments {
                        // SAFETY: a segment's taps lie in the image (or the copy) for all its results, and the target's
                        // rows of these images are this item's.
                        unsafe { self.segment::<S>(image, row, segment, &rows, &blocks) };
                    }
                }
            }
        }
    }
}

impl RunItem<'_> {
    /// The results of one row with the same taps.
    ///
    /// # Safety
    /// The taps must be readable for all of them, and they must be writable in the target.
    #[inline(always)]
    unsafe fn segment<S: Simd>(
        &self,
        image: usize,
        row: usize,
        segment: &Segment,
        rows: &Rows,
        blocks: &[Channels],
    ) {
        let (pass, channels) = (self.job.pass, self.job.source.channels);
        let [height, width] = self.job.target_size;
        let y = pass.first[0] + row * pass.target_step[0];
        let line = rows.corner.wrapping_add((row - rows.first) * pass.step[0] * rows.pitch);
        let mut column = segment.columns.start;
        while column < segment.columns.end {
            let count = if segment.columns.end - column >= TILE_PIXELS { TILE_PIXELS } else { 1 };
            let target =
                ((image * height + y) * width + pass.first[1] + column * pass.target_step[1]) * channels;
            let tile = TileOffsets {
                source: line.wrapping_add(column * pass.step[1] * channels),
                pitch: rows.pitch,
                target,
            };
            for block in blocks {
                macro_rules! tile {
                    ($pixels:tt by $registers:tt, $whole:tt) => {
                        self.tile::<S, $pixels, $registers, $whole>(&tile, &segment.taps, block)
                    };
                }
                // SAFETY: granted by the caller. (What other widths of registers have vanishes in compilation.)
                unsafe {
                    match (count, block.count / lanes::<S>()) {
                        (TILE_PIXELS, 4) => tile!(TILE_PIXELS by 4, true),
                        (TILE_PIXELS, 2) => tile!(TILE_PIXELS by 2, true),
                        (TILE_PIXELS, 1) => tile!(TILE_PIXELS by 1, true),
                        (TILE_PIXELS, _) => tile!(TILE_PIXELS by 1, false),
                        (_, 4) => tile!(1 by 4, true),
                        (_, 2) => tile!(1 by 2, true),
                        (_, 1) => tile!(1 by 1, true),
                        _ => tile!(1 by 1, false),
                    }
                }
            }
            column += count;
        }
    }

    /// `P` neighbouring results, of each one block of channels.
    ///
    /// # Safety
    /// As for [`segment`](Self::segment).
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const V: usize, const WHOLE: bool>(
        &self,
        place: &TileOffsets,
        taps: &[Tap],
        block: &Channels,
    ) {
        let (job, channels) = (self.job, self.job.source.channels);
        let [step, target_step] =
            [job.pass.step[1], job.pass.target_step[1]].map(|columns| columns * channels);
        // SAFETY: granted by the caller; weights have a line of all channels for every tap.
        unsafe {
            let pixels: [*const f32; P] = each(|p| place.source.wrapping_add(p * step + block.first));
            let mut sums: RegisterTile<S, P, V> =
                [initial_sums::<S, V>(job.bias, block.first, block.count); P];
            for tap in taps {
                let weights = job.weights.as_ptr().add(tap.weights + block.first);
                let from = tap.offset[0] * place.pitch + tap.offset[1] * channels;
                let weight: [F32s<S>; V] =
                    each(|v| read::<S, WHOLE>(weights.add(v * lanes::<S>()), block.count));
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let pixel = pixel.wrapping_add(from);
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let value = read::<S, WHOLE>(pixel.wrapping_add(v * lanes::<S>()), block.count);
                        *sum = mul_add::<S>(value, weight[v], *sum);
                    }
                }
            }
            let target = job.target.values.get().add(place.target + block.first);
            let of_pixel = |_, p: usize| target.add(p * target_step);
            store_tiles::<S, 1, P, V>(
                std::array::from_ref(&sums),
                [P],
                of_pixel,
                block.count,
                job.activation,
            );
        }
    }
}

/// Where the first result of a tile is read and written.
struct TileOffsets {
    source: *const f32,
    /// Floats from one row of the source to the next.
    pitch: usize,
    target: usize,
}
