//! Direct convolution, and the gradient of its input, without im2col.
//!
//! A pixel sums over runs of consecutive floats of its window (for a dense kernel one run is a whole
//! kernel row of all channels); some pixels by one, two or four registers of output channels are summed in
//! registers. Every result is computed by one thread from start to end, so the split into items
//! may follow the number of threads without changing a bit.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::Engine;
use super::abreast;
use super::engine::Convolution;
use super::pack::{Block, Direction, Packed, Widest, pack, pack_pairs};
use super::pass::{Pairs, Pass};
use super::results::{Place, first_sums, store_pooled, store_tiles};
use super::scratch::Scratch;
use super::shape::ConvShape;
use super::share::{items_for, share, threads_for};
use super::simd::{F32s, add, each, lanes, prefetch, splat, store};
use super::source::{Finish, Source, SourceImages, Target};
use super::tile::{Tile, convolve, tile_pixels};
use super::weight_grad::Lanes;

/// Pixels below which several images share an item, so that a block of weights is read from the
/// cache often enough to pay for bringing it there.
const ITEM_PIXELS: usize = 128;

/// Floats up to which an array may stay in the last cache: 16 MiB.
const LAST_CACHE_FLOATS: usize = 1 << 22;

/// Floats of a weight from which on it does not stay in a core's own cache, so that threads share its
/// blocks and not the images.
pub(crate) const SHARED_CACHE_FLOATS: usize = 1 << 19;

/// Items for each thread that the work is split into when the batch allows it.
pub(crate) const ITEMS_PER_THREAD: usize = 4;

/// Products of one sum up to which the widest registers go four abreast: one broadcast then serves four of them, but twice
/// as many weights stream from the second cache.
const WIDE_DEPTH: usize = 1024;

/// Products of a linear layer's sum that are added up before they are added to it, as BLAS libraries do. Part of the
/// order of additions. This length and not another, because with it the recorded runs with Adam, which amplify every
/// rounding, stay within what is promised (`cargo xtask parity`); no length is more exact in general.
pub(crate) const LONG_SUM: usize = 512;

/// Whether a linear layer's sum is added up in parts of [`LONG_SUM`].
fn adds_in_parts(shape: &ConvShape, direction: Direction) -> bool {
    shape.kernel == [1, 1] && direction.group_channels(shape)[0] > LONG_SUM
}

/// Floats of a cache line.
const LINE_FLOATS: usize = 16;

/// Everything that the items of one pass share.
struct Job<'a> {
    pass: &'a Pass,
    source: SourceImages<'a>,
    shape: &'a ConvShape,
    summed: usize,
    produced: usize,
    /// Results (or pooled results) that are computed as one.
    together: usize,
    bias: Option<&'a [f32]>,
    finish: Finish,
    packed: &'a Packed,
    /// Whether sums are added up in parts.
    in_parts: bool,
    /// Whether each item first writes zeros to its rows of the target, all channels of them.
    writes_zeros: bool,
    /// Where zeros go beside each result, in floats from it.
    unseen: Vec<isize>,
    target: Target,
    /// Height and width of the target images (after pooling).
    target_size: [usize; 2],
}

/// A part of a pass: some images, some rows of results, some blocks of channels.
struct Item {
    images: Range<usize>,
    rows: Range<usize>,
    blocks: Range<usize>,
}

/// Convolve `source` in one direction into `target`, which is written completely.
///
/// # Safety
/// `target` must be writable for every value of the produced tensor, and not otherwise used meanwhile;
/// it may ask for pooling only in the forward direction.
pub(crate) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, finish, target } = convolution;
    let [summed, produced] = direction.group_channels(shape);
    let target_size = match direction {
        Direction::Forward => shape.output(),
        Direction::InputGradient => shape.input,
    };
    let target_size = if target.codes.is_some() { target_size.map(|size| size / 2) } else { target_size };
    let lanes = engine.isa.run(Lanes);
    if target.codes.is_none() && abreast::applies(shape, direction, lanes, engine.tiles) {
        // SAFETY: granted by the caller.
        return unsafe { abreast::run(engine, convolution) };
    }
    let may_pair = 2 * produced <= lanes && shape.groups == 1;
    let passes = Pass::all(shape, direction);
    // Input pixels that no output has seen are zero: written beside results while those are summed, or else in long runs
    // by the items of the first pass.
    let sums_otherwise = may_pair || adds_in_parts(shape, direction) || !produced.is_multiple_of(lanes);
    let mut unseen = unseen_beside(shape, &passes, sums_otherwise);
    let mut has_unseen = unseen.is_empty() && passes.iter().any(|pass| pass.taps.is_empty());
    if has_unseen && !passes.iter().any(Pass::has_products) {
        // SAFETY: granted by the caller.
        return unsafe { target.values.get().write_bytes(0, shape.input_len()) };
    }
    for pass in &passes {
        let pairs = match (may_pair, target.codes) {
            (true, None) => pass.in_pairs(),
            (true, Some(_)) => pass.in_pairs_of_windows(),
            (false, _) => None,
        };
        if !pass.has_products() {
            continue;
        }
        let (pass, packed, together) = match &pairs {
            Some(Pairs { pass, taps }) => (pass, pack_pairs(shape, direction, taps, weight, lanes), 2),
            None => (
                pass,
                engine.isa.run(PackWeights { shape, direction, pass, weight, pools: target.codes.is_some() }),
                1,
            ),
        };
        let bias = bias.map(|bias| bias.repeat(together));
        let job = Job {
            pass,
            source,
            shape,
            summed,
            produced,
            together,
            bias: bias.as_deref(),
            finish,
            packed: &packed,
            in_parts: adds_in_parts(shape, direction),
            writes_zeros: std::mem::take(&mut has_unseen),
            unseen: std::mem::take(&mut unseen),
            target,
            target_size,
        };
        let threads = threads_for(shape, produced);
        share(job.items(threads), threads, |item| engine.isa.run(RunItem { job: &job, item }));
    }
}

/// Where zeros go beside each result of an input gradient, in floats; nowhere if there is not one such result for each, or if
/// the gradient does not stay in the last cache, which then would bring its lines from memory to have them overwritten.
fn unseen_beside(shape: &ConvShape, passes: &[Pass], sums_otherwise: bool) -> Vec<isize> {
    let Some(seen) = passes.iter().find(|pass| pass.has_products()) else { return Vec::new() };
    let unseen = passes.iter().filter(|pass| pass.taps.is_empty());
    let are_as_many = unseen.clone().all(|pass| pass.count == seen.count);
    if shape.kernel != [1, 1] || sums_otherwise || !are_as_many || shape.input_len() >= LAST_CACHE_FLOATS {
        return Vec::new();
    }
    let of_pass = |pass: &Pass| {
        let [y, x] = [0, 1].map(|axis| pass.first[axis].cast_signed() - seen.first[axis].cast_signed());
        (y * shape.input[1].cast_signed() + x) * shape.in_channels.cast_signed()
    };
    unseen.map(of_pass).collect()
}

/// [`pack`] for the instruction set in use.
struct PackWeights<'a> {
    shape: &'a ConvShape,
    direction: Direction,
    pass: &'a Pass,
    weight: &'a [f32],
    pools: bool,
}

impl WithSimd for PackWeights<'_> {
    type Output = Packed;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> Packed {
        let depth = self.direction.group_channels(self.shape)[0] * self.pass.taps.len();
        let widest =
            if lanes::<S>() == 16 && depth <= WIDE_DEPTH && !self.pools { Widest::Four } else { Widest::Two };
        pack::<S>(self.shape, self.direction, &self.pass.taps, self.weight, widest)
    }
}

impl Job<'_> {
    /// Rows and columns of stored results.
    fn results(&self) -> [usize; 2] {
        if self.target.codes.is_some() { self.target_size } else { self.pass.count }
    }

    /// Split the pass; any split gives the same bits.
    fn items(&self, threads: usize) -> Vec<Item> {
        let [rows, columns] = self.results();
        let images = self.shape.batch;
        let wanted = items_for(self.shape, threads, ITEMS_PER_THREAD);
        let is_large = self.shape.weight_len() > SHARED_CACHE_FLOATS;
        let group = if is_large {
            // Bringing such a weight to the core costs more than copying the images for every block.
            images.div_ceil(wanted.div_ceil(2 * threads).min(images))
        } else {
            ITEM_PIXELS.div_ceil(rows * columns).min(images.div_ceil(wanted)).max(1)
        };
        let groups = images.div_ceil(group);
        let bands = if is_large { 1 } else { wanted.div_ceil(groups).min(rows).max(1) };
        let parts = if self.writes_zeros {
            1
        } else {
            wanted.div_ceil(groups * bands).min(self.packed.blocks.len()).max(1)
        };
        let mut items = Vec::with_capacity(groups * bands * parts);
        for first in (0..images).step_by(group) {
            for band in 0..bands {
                for part in 0..parts {
                    items.push(Item {
                        images: first..(first + group).min(images),
                        rows: rows * band / bands..rows * (band + 1) / bands,
                        blocks: self.packed.blocks.len() * part / parts
                            ..self.packed.blocks.len() * (part + 1) / parts,
                    });
                }
            }
        }
        items
    }
}

/// One item of a pass.
struct RunItem<'a> {
    job: &'a Job<'a>,
    item: Item,
}

impl WithSimd for RunItem<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        // Those of other instruction sets vanish in compilation.
        let depth = self.job.summed * self.job.pass.taps.len();
        let pools = self.job.target.codes.is_some();
        match (tile_pixels(lanes::<S>(), depth), pools) {
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
        let job = self.job;
        let channels = job.source.channels;
        let rows = &self.item.rows;
        if job.writes_zeros {
            // SAFETY: these rows of these images are this item's alone.
            unsafe { self.write_zeros() };
        }
        let window = job.pass.band(if POOL { 2 * rows.start..2 * rows.end } else { rows.clone() });
        let image_len = job.source.size[0] * job.source.size[1] * channels;
        // Read in place when no border has to be added.
        let in_place = match job.source.values {
            Source::Plain(values) if window.is_inside(job.source.size) => Some(values),
            _ => None,
        };
        let copy;
        let (source, pitch, source_image): (*const f32, usize, usize) = if let Some(values) = in_place {
            let corner = window.origin.map(isize::unsigned_abs);
            let start = (corner[0] * job.source.size[1] + corner[1]) * channels;
            let first = self.item.images.start * image_len + start;
            (values[first..].as_ptr(), job.source.size[1] * channels, image_len)
        } else {
            let len = window.len(channels);
            let mut scratch = Scratch::take(len * self.item.images.len());
            for (image, target) in self.item.images.clone().zip(scratch.chunks_exact_mut(len.max(1))) {
                job.source.copy::<S>(image, &window, target);
            }
            copy = scratch;
            (copy.as_ptr(), window.size[1] * channels, len)
        };
        let (runs, run_len) = job.pass.runs(pitch, channels, job.summed);
        let places = if POOL { self.windows(pitch, source_image) } else { self.places(pitch, source_image) };
        for group in 0..job.shape.groups {
            for block in &job.packed.blocks[self.item.blocks.clone()] {
                let weights = job.packed.block(group, block).as_ptr();
                // SAFETY: `places` and `runs` stay inside the window that `source` covers, `weights`
                // holds `runs.len() * run_len` lines of this block, and targets lie in this
                // item's rows, images and channels, which no other item writes.
                unsafe {
                    let source = source.add(group * job.summed);
                    match block.registers {
                        1 => self
                            .block::<S, P, 1, POOL>(group, block, source, &runs, run_len, weights, &places),
                        4 if !POOL => self
                            .block::<S, 6, 4, POOL>(group, block, source, &runs, run_len, weights, &places),
                        _ => self
                            .block::<S, P, 2, POOL>(group, block, source, &runs, run_len, weights, &places),
                    }
                }
            }
        }
    }

    /// Fill the item's rows of the target with zeros, and those up to the next item's.
    ///
    /// # Safety
    /// No other item may write to these rows.
    unsafe fn write_zeros(&self) {
        let (job, pass) = (self.job, self.job.pass);
        let [height, width] = job.target_size;
        let row_len = width * job.produced * job.shape.groups;
        let row_of = |result: usize| if result == pass.count[0] { height } else { result * pass.spread[0] };
        let rows = row_of(self.item.rows.start)..row_of(self.item.rows.end);
        for image in self.item.images.clone() {
            // SAFETY: rows of the target that the caller grants.
            unsafe {
                let first = job.target.values.get().add((image * height + rows.start) * row_len);
                first.write_bytes(0, rows.len() * row_len);
            }
        }
    }

    /// Source and target of every result of the item.
    fn places(&self, pitch: usize, source_image: usize) -> Vec<Place> {
        let (pass, channels) = (self.job.pass, self.job.source.channels);
        let target_channels = self.job.produced * self.job.shape.groups;
        let [height, width] = self.job.target_size;
        let rows = self.item.rows.clone();
        let mut places = Vec::with_capacity(self.item.images.len() * rows.len() * pass.count[1]);
        for (index, image) in self.item.images.clone().enumerate() {
            for (row, target_row) in rows.clone().enumerate() {
                let source = index * source_image + row * pass.step[0] * pitch;
                let y = pass.first[0] + target_row * pass.spread[0];
                let target = ((image * height + y) * width + pass.first[1]) * target_channels;
                let of_column = |column: usize| Place {
                    source: source + column * pass.step[1] * channels,
                    target: target + column * pass.spread[1] * target_channels,
                };
                places.extend((0..pass.count[1]).map(of_column));
            }
        }
        places
    }

    /// As [`places`](Self::places) with pooling: the four pixels of each window, one after the other.
    fn windows(&self, pitch: usize, source_image: usize) -> Vec<Place> {
        let (pass, channels) = (self.job.pass, self.job.source.channels);
        let target_channels = self.job.produced * self.job.shape.groups;
        let [height, width] = self.job.target_size;
        let rows = self.item.rows.clone();
        let mut places = Vec::with_capacity(4 * self.item.images.len() * rows.len() * width);
        for (index, image) in self.item.images.clone().enumerate() {
            for (row, target_row) in rows.clone().enumerate() {
                for column in (0..width).step_by(self.job.together) {
                    let target = ((image * height + target_row) * width + column) * target_channels;
                    for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        let (y, x) = ((2 * row + y) * pass.step[0], (2 * column + x) * pass.step[1]);
                        places
                            .push(Place { source: index * source_image + y * pitch + x * channels, target });
                    }
                }
            }
        }
        places
    }

    /// All results of one block of channels.
    ///
    /// # Safety
    /// Every place plus every run must be readable from `source`; `weights` must hold the block; the
    /// block's channels at every place, and where zeros go beside it, must be writable in the target.
    #[inline(always)]
    unsafe fn block<S: Simd, const P: usize, const V: usize, const POOL: bool>(
        &self,
        group: usize,
        block: &Block,
        source: *const f32,
        runs: &[usize],
        run_len: usize,
        weights: *const f32,
        places: &[Place],
    ) {
        let channel = group * self.job.produced + block.first;
        let first = first_sums::<S, V>(self.job.bias, channel, block.channels);
        // The hardware does not guess where pixels lie that are apart and soon done with.
        let asks_ahead = runs.len() == 1 && self.job.pass.step[1] > 1;
        for (index, tile) in places.chunks(P).enumerate() {
            if asks_ahead {
                let next = &places[((index + 1) * P).min(places.len())..];
                ask_for(source, &next[..next.len().min(P)], run_len);
            }
            let places = tile;
            let last = places.len() - 1;
            // SAFETY: granted by the caller; a tile that is not full repeats its last pixel.
            unsafe {
                let pixels = match places.first_chunk::<P>() {
                    Some(places) => each(|p| source.add(places[p].source)),
                    None => each(|p| source.add(places[p.min(last)].source)),
                };
                let sums = if !POOL && self.job.in_parts {
                    add_up::<S, P, V>(pixels, run_len, weights, first)
                } else if !POOL && !self.job.unseen.is_empty() {
                    // A few zeros at a time, so that no store waits for another's cache line. (In a function of its
                    // own the sums would go through memory.)
                    let target = self.job.target.values.get().add(channel);
                    let mut sums = [first; P];
                    let part = run_len.div_ceil(P);
                    for p in 0..P {
                        let start = (p * part).min(run_len);
                        let len = part.min(run_len - start);
                        let weights = weights.add(start * V * lanes::<S>());
                        sums = convolve::<S, P, V>(pixels, &[runs[0] + start], len, weights, sums);
                        let place = places[p.min(last)].target;
                        for beside in &self.job.unseen {
                            let target = target.add(place).offset(*beside);
                            for v in 0..V {
                                store::<S>(target.add(v * lanes::<S>()), splat::<S>(0.0));
                            }
                        }
                    }
                    sums
                } else {
                    convolve::<S, P, V>(pixels, runs, run_len, weights, [first; P])
                };
                if POOL {
                    store_pooled::<S, P, V>(
                        &sums,
                        places,
                        self.job.target,
                        channel,
                        block.channels,
                        self.job.finish,
                    );
                } else {
                    let target = self.job.target.values.get().add(channel);
                    let of_place = |_, p: usize| target.add(places[p].target);
                    let (tiles, counts) = (std::array::from_ref(&sums), [places.len()]);
                    store_tiles::<S, 1, P, V>(tiles, counts, of_place, block.channels, self.job.finish);
                }
            }
        }
    }
}

/// Have `len` floats at each place brought to the core.
#[inline(always)]
fn ask_for(source: *const f32, places: &[Place], len: usize) {
    for place in places {
        for line in (0..len).step_by(LINE_FLOATS) {
            prefetch(source.wrapping_add(place.source + line));
        }
    }
}

/// [`convolve`] over one long run, in parts.
///
/// # Safety
/// As for [`convolve`].
#[inline(always)]
unsafe fn add_up<S: Simd, const P: usize, const V: usize>(
    pixels: [*const f32; P],
    run_len: usize,
    weights: *const f32,
    first: [F32s<S>; V],
) -> Tile<S, P, V> {
    let mut total = [first; P];
    for start in (0..run_len).step_by(LONG_SUM) {
        let len = LONG_SUM.min(run_len - start);
        // SAFETY: granted by the caller.
        let part = unsafe {
            let weights = weights.add(start * V * lanes::<S>());
            convolve::<S, P, V>(pixels, &[start], len, weights, [[splat::<S>(0.0); V]; P])
        };
        for (total, part) in total.iter_mut().zip(&part) {
            for (total, part) in total.iter_mut().zip(part) {
                *total = add::<S>(*total, *part);
            }
        }
    }
    total
}
