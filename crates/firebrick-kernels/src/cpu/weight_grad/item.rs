//! One item of a weight gradient: the walks of its tiles over its images.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::input_layout::{ChannelStrides, InputLayout, OVERREAD_FLOATS};
use super::job::{Item, Job, SumOrder};
use crate::cpu::microkernel::{Accumulate, Walk, correlate_contiguous, correlate_gathered};
use crate::cpu::pack::Block;
use crate::cpu::problem::Parameters;
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::{F32s, add, lanes, load, splat, store};
use crate::cpu::source::{Source, SourceImages};
use crate::cpu::window::Window;

/// Pairs of a run, on average, from which on tiles of contiguous pairs pay; depthwise convolutions have runs of one.
const MIN_CONTIGUOUS_PAIRS: usize = 5;

/// (Tap, channel) pairs that follow one another both in the order of the sums and in the input.
struct Run {
    /// The first pair.
    pair: usize,
    len: usize,
    /// Where the first pair's values lie.
    strides: ChannelStrides,
    /// Rows and columns of the results for which the tap lies in the image.
    results: [Range<usize>; 2],
}

impl Run {
    /// Whether a run of these pairs, values and results continues this one.
    fn is_before(&self, pair: usize, strides: &ChannelStrides, results: &[Range<usize>; 2]) -> bool {
        let offset = self.strides.offset + self.len.cast_signed();
        let end = ChannelStrides { offset, ..self.strides };
        self.pair + self.len == pair && end == *strides && self.results == *results
    }

    /// The part of a walk, which begins at row `first_row` of the results, for which the run's taps lie in the image; and how
    /// far from the walk's first values and vectors it begins.
    #[inline(always)]
    fn clip(&self, walk: Walk, first_row: usize) -> (Walk, usize, usize) {
        let [rows, columns] = self.results.clone();
        let end = rows.end.clamp(first_row, first_row + walk.rows);
        let rows = rows.start.clamp(first_row, end)..end;
        let vector = (rows.start - first_row) * walk.vector_row + columns.start * walk.vector_pixel;
        let value = rows.start * self.strides.row + columns.start * self.strides.pixel;
        let walk = Walk { rows: rows.len(), columns: columns.len(), ..walk };
        (self.strides.walk(walk).flattened(), value, vector)
    }
}

/// How the pairs of an item are read.
enum Reads {
    /// In the order in which they lie in the input.
    Contiguous(Vec<Run>),
    /// Each pair's value for the first result, from the item's first pair on; all have the same strides.
    Gathered(Vec<usize>, ChannelStrides),
}

/// The arrays of some images, ready to be walked.
struct Chunk<'a> {
    layout: &'a InputLayout,
    input: *const f32,
    gradient: *const f32,
    images: usize,
    accumulate: Accumulate,
}

/// One item.
pub(super) struct RunItem<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) item: Item,
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
        let layout = InputLayout::new(job, &self.item.channels);
        let gradient_image = job.pass.count[0] * job.pass.count[1] * job.result_pixel();
        let gradient_in_place = job.gradient_in_place(lanes::<S>());
        let mut packed_input = layout.take(job.walk_images);
        let mut copied_gradient = Scratch::take(if gradient_in_place.is_some() {
            0
        } else {
            job.walk_images * gradient_image + OVERREAD_FLOATS
        });
        let block_len = job.walk_images * job.walk_rows() * job.pass.count[1] * 2 * lanes::<S>();
        let mut packed_block = Scratch::take(if job.packs_blocks() { block_len } else { 0 });
        let reads = self.reads(&layout);
        let mut first = self.item.images.start;
        while first < self.item.images.end {
            let images = first..(first + job.walk_images).min(self.item.images.end);
            let input = match job.input.values {
                Source::Plain(values) if !layout.is_packed => {
                    values[first * layout.image + layout.first()..].as_ptr()
                }
                _ => {
                    layout.pack::<S>(&job.input, images.clone(), &mut packed_input);
                    packed_input.as_ptr()
                }
            };
            let gradient = match gradient_in_place {
                Some(values) => values[first * gradient_image..].as_ptr(),
                None => {
                    let window = Window { origin: [0, 0], size: job.shape.output() };
                    copy_images::<S>(&job.gradient, images.clone(), &window, &mut copied_gradient)
                }
            };
            let is_first = first == self.item.images.start;
            let accumulate = if is_first { Accumulate::Overwrite } else { Accumulate::Add };
            let chunk = Chunk { layout: &layout, input, gradient, images: images.len(), accumulate };
            self.chunk::<S>(&chunk, gradient_image, &reads, &mut packed_block);
            first = images.end;
        }
    }

    /// How the item's pairs are read.
    fn reads(&self, layout: &InputLayout) -> Reads {
        let (group_in, channels) = (self.job.shape.group_in(), &self.item.channels);
        let mut runs: Vec<Run> = Vec::new();
        for tap in self.item.taps.clone() {
            let [(rows, y), (columns, x)] = [0, 1].map(|axis| self.job.results_of_tap(tap, axis));
            let (results, at) = ([rows, columns], [y, x]);
            for slice in &layout.slices {
                let first = slice.channels.start.max(channels.start);
                let (pair, len) = (tap * group_in + first, slice.channels.end.min(channels.end) - first);
                let strides = layout.channel(slice, first, at);
                match runs.last_mut() {
                    Some(run) if run.is_before(pair, &strides, &results) => run.len += len,
                    _ => runs.push(Run { pair, len, strides, results: results.clone() }),
                }
            }
        }
        if runs.len() * MIN_CONTIGUOUS_PAIRS > self.item.taps.len() * channels.len() {
            let values =
                |run: &Run| run.strides.offset.unsigned_abs()..run.strides.offset.unsigned_abs() + run.len;
            return Reads::Gathered(runs.iter().flat_map(values).collect(), runs[0].strides);
        }
        runs.sort_unstable_by_key(|run| run.strides.offset);
        Reads::Contiguous(runs)
    }

    /// Add one chunk of images to the item's sums.
    #[inline(always)]
    fn chunk<S: Simd>(&self, chunk: &Chunk, gradient_image: usize, reads: &Reads, packed_block: &mut [f32]) {
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
                // Each run says how its values lie.
                value_row: 0,
                value_pixel: 0,
                vector_row: columns * result_pixel,
                vector_pixel: result_pixel,
            };
            let accumulate = if row == 0 { chunk.accumulate } else { Accumulate::Add };
            for group in 0..job.shape.groups {
                for block in &job.layout.blocks[self.item.blocks.clone()] {
                    // SAFETY: row < rows, and the group's channels are part of a pixel, so both
                    // pointers stay inside the images that the chunk covers.
                    let (values, vectors) = unsafe {
                        (
                            chunk.input.add(group * job.shape.group_in()),
                            chunk.gradient.add(row * walk.vector_row + group * job.channels + block.first),
                        )
                    };
                    // SAFETY: runs stay inside the window, and more than a run is read only of packed images, which have
                    // room after them; the same is true of registers of the last block. The packed block has room
                    // for the registers of each pixel of a walk.
                    unsafe {
                        let (vectors, walk) = if job.packs_blocks() {
                            let line = block.registers * lanes::<S>();
                            pack_block::<S>(vectors, &walk, line, packed_block)
                        } else {
                            (vectors, walk)
                        };
                        match block.registers {
                            1 => self
                                .block::<S, 1>(group, block, values, vectors, row, walk, reads, accumulate),
                            _ => self
                                .block::<S, 2>(group, block, values, vectors, row, walk, reads, accumulate),
                        }
                    }
                }
            }
        }
    }

    /// Add one walk to one block's sums.
    ///
    /// # Safety
    /// `values` plus every pair's offset (and what a run overreads), and `vectors` for the block's registers, must be readable
    /// along the walk, which begins at `first_row`.
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
        accumulate: Accumulate,
    ) {
        let job = self.job;
        let shard = self.item.shard * job.shard_len;
        let (start, line) = match job.sum_order {
            SumOrder::Packed => (shard + job.layout.start(group, block), V * lanes::<S>()),
            SumOrder::AsWeight => (block.first, job.channels),
        };
        // SAFETY: reads are granted by the caller; the sums of this shard, block and these pairs belong to this
        // item alone.
        unsafe {
            let sums = job.sums.get().add(start);
            match reads {
                Reads::Contiguous(runs) => {
                    for run in runs {
                        let (walk, value, vector) = run.clip(walk, first_row);
                        let values = values.wrapping_offset(run.strides.offset).wrapping_add(value);
                        let (vectors, target) = (vectors.wrapping_add(vector), sums.add(run.pair * line));
                        correlate_contiguous::<S, V>(
                            values,
                            run.len,
                            vectors,
                            walk,
                            target,
                            line,
                            accumulate,
                            job.broadcast,
                        );
                    }
                }
                Reads::Gathered(offsets, strides) => {
                    // Items that have only some channels have long runs.
                    let target = sums.add(self.item.taps.start * job.shape.group_in() * line);
                    let walk = strides.walk(walk).flattened();
                    let values = values.add(first_row * strides.row);
                    match lanes::<S>() {
                        8 => correlate_gathered::<S, 6, V>(
                            values, offsets, vectors, walk, target, line, accumulate,
                        ),
                        _ => correlate_gathered::<S, 8, V>(
                            values, offsets, vectors, walk, target, line, accumulate,
                        ),
                    }
                }
            }
        }
        let has_first_pair = self.item.taps.start == 0 && self.item.channels.start == 0;
        if job.parameters == Parameters::WeightAndBias && has_first_pair {
            // SAFETY: as above; the bias of this block belongs to the item with the first pair.
            unsafe { self.add_bias::<S, V>(group, block, vectors, walk, accumulate) };
        }
    }

    /// Add one walk to the sums of one block's bias.
    ///
    /// # Safety
    /// `vectors` must be readable for the block's registers along the walk; nobody else may use these sums.
    #[inline(always)]
    unsafe fn add_bias<S: Simd, const V: usize>(
        &self,
        group: usize,
        block: &Block,
        vectors: *const f32,
        walk: Walk,
        accumulate: Accumulate,
    ) {
        let job = self.job;
        let channel = group * job.channels.next_multiple_of(lanes::<S>()) + block.first;
        // SAFETY: granted by the caller.
        unsafe {
            let target = job.sums.get().add(self.item.shard * job.shard_len + job.bias_start + channel);
            add_pixels::<S, V>(target, vectors, walk.flattened(), accumulate);
        }
    }
}

/// Pack the registers of a walk's vectors into `target`, and say how to walk there.
///
/// # Safety
/// Every vector of the walk must be readable for `line` floats, and `target` must have room for them.
#[inline(always)]
unsafe fn pack_block<S: Simd>(
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
/// As for [`correlate_contiguous`]; `target` must be writable (and hold a sum, if it is added to) for `V` registers.
#[inline(always)]
unsafe fn add_pixels<S: Simd, const V: usize>(
    target: *mut f32,
    vectors: *const f32,
    walk: Walk,
    accumulate: Accumulate,
) {
    let width = lanes::<S>();
    let mut sums: [[F32s<S>; V]; 4] = [[splat::<S>(0.0); V]; 4];
    for image in 0..walk.images {
        for row in 0..walk.rows {
            let start = image * walk.vector_image + row * walk.vector_row;
            // Whole fours first: sums with constant indices stay in registers.
            let whole = walk.columns - walk.columns % 4;
            for first in (0..whole).step_by(4) {
                for (index, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let at = start + (first + index) * walk.vector_pixel + v * width;
                        // SAFETY: granted by the caller.
                        *sum = add::<S>(*sum, unsafe { load::<S>(vectors.add(at)) });
                    }
                }
            }
            for (index, sums) in sums.iter_mut().enumerate().take(walk.columns % 4) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    let at = start + (whole + index) * walk.vector_pixel + v * width;
                    // SAFETY: granted by the caller.
                    *sum = add::<S>(*sum, unsafe { load::<S>(vectors.add(at)) });
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
            let sum = match accumulate {
                Accumulate::Overwrite => sum,
                Accumulate::Add => add::<S>(load::<S>(at), sum),
            };
            store::<S>(at, sum);
        }
    }
}
