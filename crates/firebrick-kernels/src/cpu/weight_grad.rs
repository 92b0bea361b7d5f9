//! The gradient of a convolution's weight and bias, without im2col.
//!
//! For a tap and an input channel the gradient is a correlation of two images, so a tile keeps
//! some (tap, channel) pairs that lie side by side, by registers of output channels, and walks over the pixels. The
//! order of additions is fixed by the shape alone: pixels within a chunk of images and rows, chunks within a shard
//! of the batch, then shards. Threads share shards and tiles and never split a sum.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::Engine;
use super::input_layout::InputLayout;
use super::pack::{Block, Direction, Packed, Widest, unpack, unpack_pairs};
use super::pass::{Pairs, Pass};
use super::scratch::{Scratch, SharedOut};
use super::shape::ConvShape;
use super::share::{items_for, share, threads_for, threads_for_floats};
use super::simd::{F32s, add, lanes, load, splat, store};
use super::source::{Source, SourceImages};
use super::tile::{Before, RUN_SLACK, Walk, correlate_apart, correlate_run};
use super::window::Window;

/// Pixels that one visit of a tile walks over: few enough to stay in the first cache together with
/// what they are multiplied by. Part of the order of additions.
const CHUNK_PIXELS: usize = 128;

/// Shards of the batch, each with its own sums, by the length of the weight up to which there are so many. Part of the
/// order of additions. Without shards every item copies the whole batch, with them there are more sums to add up.
const SHARDS: [(usize, usize); 2] = [(1 << 17, 8), (1 << 19, 4)];

/// Items for each thread.
const ITEMS_PER_THREAD: usize = 4;

/// Floats between neighbouring pixels at whose multiples the pixels of a walk fall into too few sets of the
/// first cache.
const CROWDED: usize = 128;

/// Channels of the input that a copy keeps together: the pixels of a walk then lie in few pages.
const PANEL_CHANNELS: usize = 64;

/// Blocks of output channels at most of an item whose sums are many.
const ITEM_BLOCKS: usize = 8;

/// Channels from which on leaving out the border saves more than longer runs, over the taps of a row, do.
const BORDER_CHANNELS: usize = 32;

/// Pairs of a run from which on walking along runs pays; depthwise convolutions have runs of one.
const LONG_RUN: usize = 5;

/// Slack behind copies so that a partial register (up to 16 lanes), or more than a run of pairs, may be read.
const SLACK: usize = 16;

const _: () = assert!(RUN_SLACK <= SLACK);

/// Channels up to which two neighbouring pixels fill a register better than one. Part of the order of additions.
const PAIRED_CHANNELS: usize = 8;

/// Everything that the items share.
struct Job<'a> {
    shape: &'a ConvShape,
    pass: &'a Pass,
    /// Output channels of one result of the pass: twice the convolution's where it goes in pairs.
    channels: usize,
    input: SourceImages<'a>,
    gradient: SourceImages<'a>,
    layout: &'a Packed,
    /// Whether the walks of a tap leave out the results for which it lies outside the image; otherwise copies of the input
    /// have a border.
    skips_border: bool,
    /// Images that one walk goes through.
    walk_images: usize,
    /// Sums of every shard: packed weights, then the bias.
    sums: SharedOut,
    shard_len: usize,
    bias_start: usize,
}

/// A shard of the batch, some blocks of output channels, the pairs of some taps and some of a group's input channels.
struct Item {
    shard: usize,
    images: Range<usize>,
    blocks: Range<usize>,
    taps: Range<usize>,
    channels: Range<usize>,
}

/// Gradients of the weight (in the shape's order) and of the bias (`[out]`).
pub(crate) fn run(
    engine: Engine,
    shape: &ConvShape,
    input: SourceImages<'_>,
    gradient: SourceImages<'_>,
) -> (Vec<f32>, Vec<f32>) {
    if shape.kernel == [1, 1] && shape.stride != [1, 1] {
        let seen = pixels_seen(shape, input);
        let of_pixels = SourceImages { values: Source::Plain(&seen), size: shape.output(), ..input };
        let shape = ConvShape { input: shape.output(), stride: [1, 1], padding: [0, 0], ..shape.clone() };
        return run(engine, &shape, of_pixels, gradient);
    }
    let passes = Pass::all(shape, Direction::Forward);
    let may_pair = shape.groups == 1 && shape.out_channels <= PAIRED_CHANNELS;
    let pairs = if may_pair { passes[0].in_pairs() } else { None };
    let (pass, channels) = match &pairs {
        Some(Pairs { pass, .. }) => (pass, 2 * shape.group_out()),
        None => (&passes[0], shape.group_out()),
    };
    let width = engine.isa.run(Lanes);
    let depth = shape.group_in() * pass.reach.len();
    let layout = Packed::new(shape.groups, channels, depth, width, Widest::Two);
    // The shape alone decides (not the register width, hence the unpadded length).
    let pixels = pass.count[0] * pass.count[1];
    let walk_images = (CHUNK_PIXELS / pixels).clamp(1, shape.batch);
    let by_length = SHARDS.iter().find(|(len, _)| shape.weight_len() <= *len);
    let shards = by_length.map_or(1, |(_, shards)| *shards).min(shape.batch.div_ceil(walk_images));
    let bias_start = layout.values().len();
    let shard_len = bias_start + shape.groups * channels.next_multiple_of(width);
    let mut sums = Scratch::take(shards * shard_len);
    let job = Job {
        shape,
        pass,
        skips_border: pairs.is_none()
            && shape.group_in() >= BORDER_CHANNELS
            && shape.group_in().is_multiple_of(RUN_SLACK + 1),
        channels,
        input,
        gradient,
        layout: &layout,
        walk_images,
        sums: SharedOut::new(sums.as_mut_ptr()),
        shard_len,
        bias_start,
    };
    let threads = threads_for(shape, shape.group_out());
    let items = job.items(shards, threads);
    share(items, threads, |item| engine.isa.run(RunItem { job: &job, item }));
    let (total, others) = sums.split_at_mut(shard_len);
    engine.isa.run(AddShards { total, others });
    if let Some(Pairs { taps, .. }) = &pairs {
        return unpack_pairs(shape, taps, &layout, total);
    }
    let weight = unpack(shape, &pass.taps, &layout, total);
    let bias_sums = total[bias_start..].chunks_exact(channels.next_multiple_of(width));
    let bias = bias_sums.flat_map(|group| group[..channels].iter().copied()).collect();
    (weight, bias)
}

/// The pixels that a convolution of single pixels sees, one after the other: with a stride the others need not be brought to
/// the core.
fn pixels_seen(shape: &ConvShape, input: SourceImages<'_>) -> Scratch {
    let Source::Plain(values) = input.values else { unreachable!("an input is plain") };
    let ([rows, columns], channels) = (shape.output(), shape.in_channels);
    let mut seen = Scratch::take(shape.batch * rows * columns * channels);
    let copy = |(line, target): (usize, &mut [f32])| {
        let (image, row) = (line / rows, line % rows);
        let at = |axis: usize, index: usize| {
            let at = (index * shape.stride[axis]).checked_sub(shape.padding[axis])?;
            (at < shape.input[axis]).then_some(at)
        };
        for (column, target) in target.chunks_exact_mut(channels).enumerate() {
            match (at(0, row), at(1, column)) {
                (Some(y), Some(x)) => {
                    let start = ((image * shape.input[0] + y) * shape.input[1] + x) * channels;
                    target.copy_from_slice(&values[start..][..channels]);
                }
                _ => target.fill(0.0),
            }
        }
    };
    let threads = threads_for_floats(seen.len());
    share(seen.chunks_exact_mut(columns * channels).enumerate().collect(), threads, copy);
    seen
}

/// The register width.
pub(crate) struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        lanes::<S>()
    }
}

/// Add all shards to the first, in their order.
pub(crate) struct AddShards<'a> {
    pub(crate) total: &'a mut [f32],
    pub(crate) others: &'a [f32],
}

impl WithSimd for AddShards<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        for shard in self.others.chunks_exact(self.total.len()) {
            for (total, value) in self.total.iter_mut().zip(shard) {
                *total += value;
            }
        }
    }
}

impl Job<'_> {
    /// Split into shards (fixed) and, within a shard, into independent sums (free).
    fn items(&self, shards: usize, threads: usize) -> Vec<Item> {
        let wanted = items_for(self.shape, threads, ITEMS_PER_THREAD).div_ceil(shards);
        let chunks = self.shape.batch.div_ceil(self.walk_images);
        let (group_in, taps, blocks) =
            (self.shape.group_in(), self.pass.reach.len(), self.layout.blocks.len());
        let whole_panels = if self.shape.groups == 1 { (group_in / PANEL_CHANNELS).max(1) } else { 1 };
        // The sums of a weight without shards are so many that an item's own must be few, for its cache.
        let (panels, parts) = match shards {
            1 => (whole_panels, blocks.div_ceil(ITEM_BLOCKS)),
            _ => (wanted.min(whole_panels), 1),
        };
        let parts = wanted.div_ceil(panels).min(blocks).max(parts);
        let splits = wanted.div_ceil(panels * parts).min((taps * group_in).div_ceil(16)).min(taps).max(1);
        // Whole panels, so that a run that starts or ends here can be read where it lies.
        let channel =
            |panel| if panel == panels { group_in } else { whole_panels * panel / panels * PANEL_CHANNELS };
        let mut items = Vec::with_capacity(shards * parts * panels * splits);
        for shard in 0..shards {
            let first = chunks * shard / shards * self.walk_images;
            let end = (chunks * (shard + 1) / shards * self.walk_images).min(self.shape.batch);
            for part in 0..parts {
                for panel in 0..panels {
                    for split in 0..splits {
                        items.push(Item {
                            shard,
                            images: first..end,
                            blocks: blocks * part / parts..blocks * (part + 1) / parts,
                            taps: taps * split / splits..taps * (split + 1) / splits,
                            channels: channel(panel)..channel(panel + 1),
                        });
                    }
                }
            }
        }
        items
    }

    /// The part of an input image that is read.
    fn window(&self) -> Window {
        if self.skips_border {
            Window { origin: [0, 0], size: self.input.size }
        } else {
            self.pass.band(0..self.pass.count[0])
        }
    }

    /// The results (rows or columns of them) whose tap lies in the image, where the border is left out; and where in the
    /// window the first result of all has it.
    fn sees(&self, tap: usize, axis: usize) -> (Range<usize>, isize) {
        let (reach, count) = (self.pass.reach[tap][axis], self.pass.count[axis]);
        if !self.skips_border {
            return (0..count, reach.cast_signed());
        }
        let (step, at) = (self.pass.step[axis], self.pass.window.origin[axis] + reach.cast_signed());
        let before = if at < 0 { at.unsigned_abs().div_ceil(step) } else { 0 };
        let end = self.input.size[axis].saturating_add_signed(-at).div_ceil(step).min(count);
        (before.min(end)..end, at)
    }

    /// How the walks find some input channels of some images.
    fn input_layout(&self, window: &Window, chosen: Range<usize>) -> InputLayout {
        let channels = self.shape.in_channels;
        let step = self.pass.step[1];
        let is_crowded = |pixel: usize| (step * pixel).is_multiple_of(CROWDED);
        // Runs of pairs are then multiples of 8, behind which nothing is read.
        let may_be_read = self.shape.group_in().is_multiple_of(RUN_SLACK + 1);
        if window.is_inside(self.input.size) && !is_crowded(channels) && may_be_read {
            let len = self.input.size[0] * self.input.size[1] * channels;
            let pitch = self.input.size[1] * channels;
            return InputLayout {
                is_copy: false,
                channels: 0..channels,
                panel: channels,
                panel_len: len,
                pixel: channels,
                pitch,
                image: len,
            };
        }
        let (channels, panel) = match self.shape.groups {
            1 => (chosen.clone(), chosen.len().min(PANEL_CHANNELS)),
            _ => (0..channels, channels),
        };
        let pixel = panel + if is_crowded(panel) { SLACK } else { 0 };
        let panel_len = window.len(pixel);
        let image = channels.len().div_ceil(panel) * panel_len;
        InputLayout { is_copy: true, channels, panel, panel_len, pixel, pitch: window.size[1] * pixel, image }
    }

    /// Rows of results in one walk.
    fn walk_rows(&self) -> usize {
        (CHUNK_PIXELS / self.pass.count[1]).clamp(1, self.pass.count[0])
    }

    /// Floats from one result of the pass to the next in the gradient.
    fn result_pixel(&self) -> usize {
        self.channels * self.shape.groups
    }

    /// Whether each block of the gradient is brought together before it is read for every pair.
    fn copies_blocks(&self) -> bool {
        self.result_pixel() >= CROWDED
    }

    /// Whether the gradient can be read where it is: plain, and no register reaches past a group.
    fn gradient_in_place(&self, lanes: usize) -> Option<&[f32]> {
        match self.gradient.values {
            Source::Plain(values) if self.channels.is_multiple_of(lanes) => Some(values),
            _ => None,
        }
    }
}

/// (Tap, channel) pairs that follow one another both in the order of the sums and in the input.
struct Run {
    /// The first pair.
    pair: usize,
    len: usize,
    /// The first pair's value for the first result of all, which may lie before the input.
    offset: isize,
    /// Rows and columns of results that see it.
    sees: [Range<usize>; 2],
}

/// How the pairs of an item are read.
enum Reads {
    /// In the order in which they lie in the input.
    InRuns(Vec<Run>),
    /// Each pair's value from a pixel's corner, from the item's first pair on.
    Apart(Vec<usize>),
}

/// One image chunk's arrays, ready to be walked.
struct Chunk<'a> {
    layout: &'a InputLayout,
    input: *const f32,
    gradient: *const f32,
    images: usize,
    /// Whether sums exist already.
    before: Before,
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
        self.run::<S>();
    }
}

impl RunItem<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let job = self.job;
        let window = job.window();
        let layout = job.input_layout(&window, self.item.channels.clone());
        let gradient_image = job.pass.count[0] * job.pass.count[1] * job.result_pixel();
        let gradient_in_place = job.gradient_in_place(lanes::<S>());
        let copy_len =
            |image: usize, is_copy: bool| if is_copy { image * job.walk_images + SLACK } else { 0 };
        let mut input_copy = Scratch::take(copy_len(layout.image, layout.is_copy));
        let mut gradient_copy = Scratch::take(copy_len(gradient_image, gradient_in_place.is_none()));
        let block_len = job.walk_images * job.walk_rows() * job.pass.count[1] * 2 * lanes::<S>();
        let mut block_copy = Scratch::take(if job.copies_blocks() { block_len } else { 0 });
        let reads = self.reads(&layout);
        let mut first = self.item.images.start;
        while first < self.item.images.end {
            let images = first..(first + job.walk_images).min(self.item.images.end);
            let input = match job.input.values {
                Source::Plain(values) if !layout.is_copy => {
                    let corner = window.origin.map(isize::unsigned_abs);
                    values[first * layout.image + corner[0] * layout.pitch + corner[1] * layout.pixel..]
                        .as_ptr()
                }
                _ => {
                    layout.copy(&job.input, images.clone(), &window, &mut input_copy);
                    input_copy.as_ptr()
                }
            };
            let gradient = match gradient_in_place {
                Some(values) => values[first * gradient_image..].as_ptr(),
                None => {
                    let window = Window { origin: [0, 0], size: job.shape.output() };
                    copy_images::<S>(&job.gradient, images.clone(), &window, &mut gradient_copy)
                }
            };
            let before = if first == self.item.images.start { Before::Nothing } else { Before::Sums };
            let chunk = Chunk { layout: &layout, input, gradient, images: images.len(), before };
            self.chunk::<S>(&chunk, gradient_image, &reads, &mut block_copy);
            first = images.end;
        }
    }

    /// How the item's pairs are read.
    fn reads(&self, layout: &InputLayout) -> Reads {
        let (group_in, channels) = (self.job.shape.group_in(), &self.item.channels);
        let mut runs: Vec<Run> = Vec::new();
        for tap in self.item.taps.clone() {
            let [(rows, y), (columns, x)] = [0, 1].map(|axis| self.job.sees(tap, axis));
            let (sees, at) = ([rows, columns], [y, x]);
            for first in channels.clone().step_by(layout.panel) {
                let pair = tap * group_in + first;
                let len = layout.panel.min(channels.end - first);
                let offset = layout.offset(at, first);
                match runs.last_mut() {
                    Some(run)
                        if run.offset + run.len.cast_signed() == offset
                            && run.pair + run.len == pair
                            && run.sees == sees =>
                    {
                        run.len += len;
                    }
                    _ => runs.push(Run { pair, len, offset, sees: sees.clone() }),
                }
            }
        }
        if runs.len() * LONG_RUN > self.item.taps.len() * channels.len() {
            let values = |run: &Run| run.offset.unsigned_abs()..run.offset.unsigned_abs() + run.len;
            return Reads::Apart(runs.iter().flat_map(values).collect());
        }
        runs.sort_unstable_by_key(|run| run.offset);
        Reads::InRuns(runs)
    }

    /// Add one chunk of images to the item's sums.
    #[inline(always)]
    fn chunk<S: Simd>(&self, chunk: &Chunk, gradient_image: usize, reads: &Reads, block_copy: &mut [f32]) {
        let (job, [rows, columns]) = (self.job, self.job.pass.count);
        let result_pixel = job.result_pixel();
        let walk_rows = job.walk_rows();
        for row in (0..rows).step_by(walk_rows) {
            let walk = Walk {
                images: chunk.images,
                value_image: chunk.layout.image,
                vector_image: gradient_image,
                rows: walk_rows.min(rows - row),
                columns,
                value_row: job.pass.step[0] * chunk.layout.pitch,
                value_pixel: job.pass.step[1] * chunk.layout.pixel,
                vector_row: columns * result_pixel,
                vector_pixel: result_pixel,
            };
            let before = if row == 0 { chunk.before } else { Before::Sums };
            for group in 0..job.shape.groups {
                for block in &job.layout.blocks[self.item.blocks.clone()] {
                    // SAFETY: row < rows, and the group's channels are part of a pixel, so both
                    // pointers stay inside the images that the chunk covers.
                    let (values, vectors) = unsafe {
                        (
                            chunk.input.wrapping_add(row * walk.value_row + group * job.shape.group_in()),
                            chunk.gradient.add(row * walk.vector_row + group * job.channels + block.first),
                        )
                    };
                    // SAFETY: runs stay inside the window, and more than a run is read only in a copy, which has
                    // slack; the same is true of registers of the last block. The copy of a block has room for
                    // the registers of each pixel of a walk.
                    unsafe {
                        let (vectors, walk) = if job.copies_blocks() {
                            let line = block.registers * lanes::<S>();
                            copy_block::<S>(vectors, &walk, line, block_copy)
                        } else {
                            (vectors, walk)
                        };
                        match block.registers {
                            1 => self.block::<S, 1>(group, block, values, vectors, row, walk, reads, before),
                            _ => self.block::<S, 2>(group, block, values, vectors, row, walk, reads, before),
                        }
                    }
                }
            }
        }
    }

    /// Add one walk to one block's sums.
    ///
    /// # Safety
    /// `values` plus every pair's offset (and a run's slack), and `vectors` for the block's registers, must be readable along the
    /// walk.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // what a correlation is made of
    unsafe fn block<S: Simd, const V: usize>(
        &self,
        group: usize,
        block: &Block,
        values: *const f32,
        vectors: *const f32,
        first_row: usize,
        walk: Walk,
        reads: &Reads,
        before: Before,
    ) {
        let job = self.job;
        let line = V * lanes::<S>();
        let shard = self.item.shard * job.shard_len;
        let start = shard + job.layout.start(group, block);
        // SAFETY: reads are granted by the caller; the sums of this shard, block and these pairs belong to this
        // item alone.
        unsafe {
            let sums = job.sums.get().add(start);
            match reads {
                Reads::InRuns(runs) => {
                    for run in runs {
                        let (rows, columns) = (&run.sees[0], &run.sees[1]);
                        let end = rows.end.clamp(first_row, first_row + walk.rows);
                        let rows = rows.start.clamp(first_row, end) - first_row..end - first_row;
                        let (value, vector) = walk.offsets(rows.start, columns.start);
                        let walk = Walk { rows: rows.len(), columns: columns.len(), ..walk }.straight();
                        let values = values.wrapping_offset(run.offset).wrapping_add(value);
                        let (vectors, target) = (vectors.wrapping_add(vector), sums.add(run.pair * line));
                        correlate_run::<S, V>(values, run.len, vectors, walk, target, before);
                    }
                }
                Reads::Apart(offsets) => {
                    // Items that have only some channels have long runs.
                    let target = sums.add(self.item.taps.start * job.shape.group_in() * line);
                    let walk = walk.straight();
                    match lanes::<S>() {
                        8 => correlate_apart::<S, 6, V>(values, offsets, vectors, walk, target, before),
                        _ => correlate_apart::<S, 8, V>(values, offsets, vectors, walk, target, before),
                    }
                }
            }
        }
        if self.item.taps.start == 0 && self.item.channels.start == 0 {
            let channel = group * job.channels.next_multiple_of(lanes::<S>()) + block.first;
            // SAFETY: as above; the bias of this block belongs to the item with the first pair.
            unsafe {
                let target = job.sums.get().add(shard + job.bias_start + channel);
                add_pixels::<S, V>(target, vectors, walk, before);
            }
        }
    }
}

/// Bring the registers of a walk's vectors together in `target`, and say how to walk there.
///
/// # Safety
/// Every vector of the walk must be readable for `line` floats, and `target` must have room for them.
#[inline(always)]
unsafe fn copy_block<S: Simd>(
    vectors: *const f32,
    walk: &Walk,
    line: usize,
    target: &mut [f32],
) -> (*const f32, Walk) {
    let mut to = target.as_mut_ptr();
    for image in 0..walk.images {
        for row in 0..walk.rows {
            for column in 0..walk.columns {
                let at = image * walk.vector_image + row * walk.vector_row + column * walk.vector_pixel;
                for register in (0..line).step_by(lanes::<S>()) {
                    // SAFETY: granted by the caller.
                    unsafe { store::<S>(to.add(register), load::<S>(vectors.add(at + register))) };
                }
                // SAFETY: as above; one past the last line at the end.
                to = unsafe { to.add(line) };
            }
        }
    }
    let row = walk.columns * line;
    let walk = Walk { vector_image: walk.rows * row, vector_row: row, vector_pixel: line, ..*walk };
    (target.as_ptr(), walk)
}

/// Copy the window of some images into `target`, one after the other.
#[inline(always)]
fn copy_images<S: Simd>(
    source: &SourceImages<'_>,
    images: Range<usize>,
    window: &Window,
    target: &mut [f32],
) -> *const f32 {
    let len = window.len(source.channels);
    for (image, target) in images.zip(target.chunks_exact_mut(len)) {
        source.copy::<S>(image, window, target);
    }
    target.as_ptr()
}

/// `target[v] (+)= sum of vectors[pixel, v]`, in four interleaved sums.
///
/// # Safety
/// As for [`correlate_run`]; `target` must be writable (and hold a sum, if it is added to) for `V` registers.
#[inline(always)]
unsafe fn add_pixels<S: Simd, const V: usize>(
    target: *mut f32,
    vectors: *const f32,
    walk: Walk,
    before: Before,
) {
    let width = lanes::<S>();
    let mut sums: [[F32s<S>; V]; 4] = [[splat::<S>(0.0); V]; 4];
    for image in 0..walk.images {
        for row in 0..walk.rows {
            for column in 0..walk.columns {
                for (v, sum) in sums[column % 4].iter_mut().enumerate() {
                    let at = image * walk.vector_image + row * walk.vector_row + column * walk.vector_pixel;
                    // SAFETY: granted by the caller.
                    *sum = add::<S>(*sum, unsafe { load::<S>(vectors.add(at + v * width)) });
                }
            }
        }
    }
    let [a, b, c, d] = sums;
    for v in 0..V {
        let sum = add::<S>(add::<S>(a[v], b[v]), add::<S>(c[v], d[v]));
        // SAFETY: granted by the caller.
        unsafe {
            let at = target.add(v * width);
            let sum = match before {
                Before::Nothing => sum,
                Before::Sums => add::<S>(load::<S>(at), sum),
            };
            store::<S>(at, sum);
        }
    }
}
