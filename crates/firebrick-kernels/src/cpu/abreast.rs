//! Direct convolution, and the gradient of its input, with the same pixel of several images abreast.
//!
//! A group of images, as many as the tiles' form says, is copied so that their values of one pixel lie side by side,
//! [`PANELS`] channels at a time: `[panel][row][column][image][channel]`. All images of a group see the same taps, so the
//! taps that would read the zero border are left out and no border is copied; with 4x4 images and 3x3 taps that is a third
//! of the products. And the images' distance is the panel's, whatever the convolution's sizes, so it is known to the
//! compiler (see [`convolve_abreast`]). Only with AVX-512's registers does that pay.
//!
//! Every result sums in the order of [`direct`](super::direct): the bits are the same, as long as the weights are finite
//! (there the border's zeros are multiplied by them).

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::Engine;
use super::direct::{ITEMS_PER_THREAD, SHARED_CACHE_FLOATS};
use super::engine::Convolution;
use super::pack::{Block, Direction, Packed, Widest, pack};
use super::results::{first_sums, store_tiles};
use super::scratch::Scratch;
use super::shape::ConvShape;
use super::share::{items_for, share, threads_for};
use super::simd::{each, lanes};
use super::source::{Finish, Source, SourceImages, Target};
use super::tile::convolve_abreast;
use super::tile_form::TileForm;
use super::window::Window;

/// Pixels of a tile, each of one group.
const TILE_PIXELS: usize = 3;

/// Channels that lie side by side, those that have code of their own.
const PANELS: [usize; 2] = [64, 32];

/// Registers of channels that one tile's pixels are read for, one after the other, while they are in the first cache.
const BLOCKS: usize = 4;

/// Products of one sum from which on a tile is worth its beginning and end. (A sum of one tap is not worth the copy.)
const MIN_DEPTH: usize = 256;

/// Floats of an item's copy, where the images allow it: half of a core's own cache at most.
const COPY_FLOATS: usize = 1 << 17;

/// As [`COPY_FLOATS`], for a weight that does not stay in that cache: the more images read it at once the better.
const LARGE_COPY_FLOATS: usize = 1 << 18;

/// As [`ITEMS_PER_THREAD`], for such a weight: every item copies its images.
const LARGE_ITEMS_PER_THREAD: usize = 2;

/// Whether a convolution without pooling goes this way, with registers of `lanes`.
pub(crate) fn applies(shape: &ConvShape, direction: Direction, lanes: usize, form: TileForm) -> bool {
    let [summed, _] = direction.group_channels(shape);
    // Missing images of the last group cost as much as others.
    let few_missing = shape.batch.next_multiple_of(form.images()) * 4 <= shape.batch * 5;
    lanes == 16
        && shape.groups == 1
        && few_missing
        && shape.kernel != [1, 1]
        && panel_channels(summed).is_some()
        && summed * shape.kernel[0] * shape.kernel[1] >= MIN_DEPTH
}

/// Channels of a panel.
fn panel_channels(channels: usize) -> Option<usize> {
    PANELS.into_iter().find(|panel| channels.is_multiple_of(*panel))
}

/// Everything that the items share.
struct Job<'a> {
    shape: &'a ConvShape,
    form: TileForm,
    source: SourceImages<'a>,
    /// Height and width of the source images (of a pooled gradient, before pooling).
    source_size: [usize; 2],
    target_size: [usize; 2],
    /// Channels of the source and of the target.
    channels: [usize; 2],
    /// Rows and columns of the target, by the taps that they see.
    lines: [Vec<Line>; 2],
    bias: Option<&'a [f32]>,
    finish: Finish,
    packed: &'a Packed,
    target: Target,
}

/// A row or a column of the target: its taps in the order of the sum, and where in the source they read.
struct Line {
    index: usize,
    reads: Vec<Read>,
}

/// A tap of one axis.
#[derive(Clone, Copy)]
struct Read {
    /// Its place in the order of the sum.
    tap: usize,
    /// Row or column of the source.
    at: usize,
}

/// Some images, some rows and columns of results, some blocks of channels.
struct Item {
    images: Range<usize>,
    rows: Range<usize>,
    columns: Range<usize>,
    blocks: Range<usize>,
}

/// Convolve `source` in one direction into `target`, which is written completely.
///
/// # Safety
/// As for [`direct::run`](super::direct::run), without pooling.
pub(crate) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, finish, target } = convolution;
    let [source_size, target_size] = match direction {
        Direction::Forward => [shape.input, shape.output()],
        Direction::InputGradient => [shape.output(), shape.input],
    };
    let packed = engine.isa.run(PackWeights { shape, direction, weight, form: engine.tiles });
    let job = Job {
        shape,
        form: engine.tiles,
        source,
        source_size,
        target_size,
        channels: direction.group_channels(shape),
        lines: [0, 1].map(|axis| lines(shape, direction, axis)),
        bias,
        finish,
        packed: &packed,
        target,
    };
    let threads = threads_for(shape, job.channels[1]);
    share(job.items(threads), threads, |item| engine.isa.run(RunItem { job: &job, item }));
}

/// Taps (row, column) in the order of summation, which ascends through the source.
fn taps(shape: &ConvShape, direction: Direction) -> Vec<[usize; 2]> {
    let [rows, columns] = shape.kernel;
    let ascending = (0..rows).flat_map(|y| (0..columns).map(move |x| [y, x]));
    match direction {
        Direction::Forward => ascending.collect(),
        Direction::InputGradient => ascending.rev().collect(),
    }
}

/// The target's rows (axis 0) or columns (axis 1).
fn lines(shape: &ConvShape, direction: Direction, axis: usize) -> Vec<Line> {
    let (stride, padding, dilation) = (shape.stride[axis], shape.padding[axis], shape.dilation[axis]);
    let (count, size) = match direction {
        Direction::Forward => (shape.output()[axis], shape.input[axis]),
        Direction::InputGradient => (shape.input[axis], shape.output()[axis]),
    };
    let last = shape.kernel[axis] - 1;
    let read = |index: usize, tap: usize| {
        let at = match direction {
            Direction::Forward => (index * stride + tap * dilation).checked_sub(padding)?,
            Direction::InputGradient => {
                let at = (index + padding).checked_sub((last - tap) * dilation)?;
                at.is_multiple_of(stride).then_some(at / stride)?
            }
        };
        (at < size).then_some(Read { tap, at })
    };
    let reads = |index| (0..=last).filter_map(|tap| read(index, tap)).collect();
    (0..count).map(|index| Line { index, reads: reads(index) }).collect()
}

/// [`pack`] for the instruction set in use.
struct PackWeights<'a> {
    shape: &'a ConvShape,
    direction: Direction,
    weight: &'a [f32],
    form: TileForm,
}

impl WithSimd for PackWeights<'_> {
    type Output = Packed;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> Packed {
        let taps = taps(self.shape, self.direction);
        let widest = match self.form {
            TileForm::Tall => Widest::One,
            TileForm::Wide => Widest::Two,
        };
        pack::<S>(self.shape, self.direction, &taps, self.weight, widest)
    }
}

impl Job<'_> {
    /// Split the work; any split gives the same bits.
    fn items(&self, threads: usize) -> Vec<Item> {
        let (batch, blocks, [rows, columns]) = (self.shape.batch, self.packed.blocks.len(), self.target_size);
        let abreast = self.form.images();
        let group_floats = abreast * self.source_size[0] * self.source_size[1] * self.channels[0];
        let groups = batch.div_ceil(abreast);
        let is_large = self.shape.weight_len() > SHARED_CACHE_FLOATS;
        let (budget, per_thread) = if is_large {
            (LARGE_COPY_FLOATS, LARGE_ITEMS_PER_THREAD)
        } else {
            (COPY_FLOATS, ITEMS_PER_THREAD)
        };
        let wanted = items_for(self.shape, threads, per_thread);
        let together = if is_large { (budget / group_floats).clamp(1, groups) } else { 1 };
        let sets = groups.div_ceil(together);
        // Squares rather than bands: neighbours copy what both of them read.
        let for_threads = if is_large { 1 } else { wanted.div_ceil(sets) };
        let pieces = group_floats.div_ceil(budget).max(for_threads);
        let strips = pieces.isqrt().clamp(1, columns);
        let bands = pieces.div_ceil(strips).clamp(1, rows);
        let parts = wanted.div_ceil(sets * bands * strips).clamp(1, blocks);
        let range = |of: usize, part: usize, parts: usize| of * part / parts..of * (part + 1) / parts;
        let mut items = Vec::with_capacity(sets * bands * strips * parts);
        for first in (0..batch).step_by(together * abreast) {
            for band in 0..bands {
                for strip in 0..strips {
                    for part in 0..parts {
                        items.push(Item {
                            images: first..(first + together * abreast).min(batch),
                            rows: range(rows, band, bands),
                            columns: range(columns, strip, strips),
                            blocks: range(blocks, part, parts),
                        });
                    }
                }
            }
        }
        items
    }
}

/// One item.
struct RunItem<'a> {
    job: &'a Job<'a>,
    item: Item,
}

/// An item's copy of its images.
struct Copy {
    values: Scratch,
    /// Rows and columns of the source in it.
    rows: Range<usize>,
    columns: Range<usize>,
    /// Floats of a pixel in a panel, of a panel, of a group.
    pixel: usize,
    panel: usize,
    group: usize,
}

/// Results that sum over the same taps.
struct Class {
    /// Where each run of a panel's channels starts in the copy, from the first tap's pixel, and in the weights, in lines.
    runs: Vec<[usize; 2]>,
    places: Vec<Place>,
}

/// A result of a group of images.
struct Place {
    /// Its first tap's pixel in the copy.
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
        match (lanes::<S>(), panel_channels(self.job.channels[0]), self.job.form) {
            (16, Some(64), TileForm::Tall) => self.run::<S, 64, 8>(),
            (16, Some(32), TileForm::Tall) => self.run::<S, 32, 8>(),
            (16, Some(64), TileForm::Wide) => self.run::<S, 64, 4>(),
            (16, Some(32), TileForm::Wide) => self.run::<S, 32, 4>(),
            _ => unreachable!("`applies` lets only these through"),
        }
    }
}

impl RunItem<'_> {
    #[inline(always)]
    fn run<S: Simd, const PANEL: usize, const ABREAST: usize>(self) {
        let copy = self.copy::<S, PANEL, ABREAST>();
        let classes = self.classes::<PANEL, ABREAST>(&copy);
        for blocks in self.job.packed.blocks[self.item.blocks.clone()].chunks(BLOCKS) {
            for class in &classes {
                for places in class.places.chunks(TILE_PIXELS) {
                    for block in blocks {
                        // SAFETY: a class's places and runs lie in the copy, and targets in this item's rows, images and
                        // channels, which no other item writes.
                        unsafe {
                            macro_rules! tile {
                                ($pixels:tt by $registers:tt) => {
                                    self.tile::<S, $pixels, ABREAST, $registers, PANEL>(
                                        &copy,
                                        &class.runs,
                                        places,
                                        block,
                                    )
                                };
                            }
                            // The tall form's blocks are all of one register.
                            let registers =
                                if ABREAST == TileForm::Tall.images() { 1 } else { block.registers };
                            match (places.len(), registers) {
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

    /// Bring the item's images together.
    #[inline(always)]
    fn copy<S: Simd, const PANEL: usize, const ABREAST: usize>(&self) -> Copy {
        let job = self.job;
        let ([height, width], channels) = (job.source_size, job.channels[0]);
        let rows = read_by(&job.lines[0][self.item.rows.clone()]);
        let columns = read_by(&job.lines[1][self.item.columns.clone()]);
        let pixel = ABREAST * PANEL;
        let panel = rows.len() * columns.len() * pixel;
        let group = channels / PANEL * panel;
        let images = self.item.images.clone();
        let mut values = Scratch::take(images.len().div_ceil(ABREAST) * group);
        if !images.len().is_multiple_of(ABREAST) {
            let last = images.len() / ABREAST * group;
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
            let to = index / ABREAST * group + index % ABREAST * PANEL;
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
        Copy { values, rows, columns, pixel, panel, group }
    }

    /// The item's results, by the taps that they see.
    fn classes<const PANEL: usize, const ABREAST: usize>(&self, copy: &Copy) -> Vec<Class> {
        let job = self.job;
        let (width, [channels, produced]) = (copy.columns.len(), job.channels);
        let [height, target_width] = job.target_size;
        let first = |line: &Line| line.reads.first().map_or(0, |read| read.at);
        let mut classes = Vec::new();
        let rows = by_taps(&job.lines[0][self.item.rows.clone()]);
        let columns = by_taps(&job.lines[1][self.item.columns.clone()]);
        for rows in &rows {
            for columns in &columns {
                let mut runs = Vec::new();
                for y in &rows[0].reads {
                    for x in &columns[0].reads {
                        let pixel = (y.at - first(rows[0])) * width + x.at - first(columns[0]);
                        let tap = y.tap * job.shape.kernel[1] + x.tap;
                        for panel in 0..channels / PANEL {
                            runs.push([
                                panel * copy.panel + pixel * copy.pixel,
                                tap * channels + panel * PANEL,
                            ]);
                        }
                    }
                }
                let mut places = Vec::new();
                for (group, start) in self.item.images.clone().step_by(ABREAST).enumerate() {
                    for row in rows {
                        for column in columns {
                            let pixel = first(row).saturating_sub(copy.rows.start) * width
                                + first(column).saturating_sub(copy.columns.start);
                            places.push(Place {
                                source: group * copy.group + pixel * copy.pixel,
                                target: ((start * height + row.index) * target_width + column.index)
                                    * produced,
                                images: ABREAST.min(self.item.images.end - start),
                            });
                        }
                    }
                }
                classes.push(Class { runs, places });
            }
        }
        classes
    }

    /// A block of channels of `R` results.
    ///
    /// # Safety
    /// Every place plus every run must lie in the copy, and the block's channels at every place's images in a part of the
    /// target that nobody else uses.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const ABREAST: usize, const V: usize, const PANEL: usize>(
        &self,
        copy: &Copy,
        runs: &[[usize; 2]],
        places: &[Place],
        block: &Block,
    ) {
        let job = self.job;
        let bias = first_sums::<S, V>(job.bias, block.first, block.channels);
        let image = job.target_size[0] * job.target_size[1] * job.channels[1];
        // SAFETY: granted by the caller.
        unsafe {
            let groups = each(|r| copy.values.as_ptr().add(places[r].source));
            let weights = job.packed.block(0, block).as_ptr();
            let sums = convolve_abreast::<S, R, ABREAST, V, PANEL>(groups, runs, weights, bias);
            let mut counts = [0; R];
            for (count, place) in counts.iter_mut().zip(places) {
                *count = place.images;
            }
            let target = job.target.values.get().add(block.first);
            let of_image = |r: usize, index: usize| target.add(places[r].target + index * image);
            store_tiles::<S, R, ABREAST, V>(&sums, counts, of_image, block.channels, job.finish);
        }
    }
}

/// What of the source these rows or columns read.
fn read_by(lines: &[Line]) -> Range<usize> {
    let reads = || lines.iter().flat_map(|line| &line.reads).map(|read| read.at);
    reads().min().map_or(0..0, |first| first..reads().max().unwrap_or(first) + 1)
}

/// Rows or columns, those with the same taps together.
fn by_taps(lines: &[Line]) -> Vec<Vec<&Line>> {
    let mut classes: Vec<Vec<&Line>> = Vec::new();
    let taps = |line: &Line| line.reads.iter().map(|read| read.tap).collect::<Vec<_>>();
    for line in lines {
        match classes.iter_mut().find(|class| taps(class[0]) == taps(line)) {
            Some(class) => class.push(line),
            None => classes.push(vec![line]),
        }
    }
    classes
}
