//! One item of a weight gradient: the walks of its tiles over its images.

use std::ops::Range;

use macerator::{Simd, WithSimd};

use super::input_layout::{InputLayout, Place, SLACK};
use super::{Item, Job, Lines};
use crate::cpu::engine::Parameters;
use crate::cpu::pack::Block;
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::{F32s, add, lanes, load, splat, store};
use crate::cpu::source::{Source, SourceImages};
use crate::cpu::tile::{Before, Walk, correlate_apart, correlate_run};
use crate::cpu::window::Window;

/// Pairs of a run from which on walking along runs pays; depthwise convolutions have runs of one.
const LONG_RUN: usize = 5;

/// (Tap, channel) pairs that follow one another both in the order of the sums and in the input.
struct Run {
    /// The first pair.
    pair: usize,
    len: usize,
    /// Where the first pair's values lie.
    place: Place,
    /// Rows and columns of results that see it.
    sees: [Range<usize>; 2],
}

impl Run {
    /// Whether a run of these pairs, values and results continues this one.
    fn is_before(&self, pair: usize, place: &Place, sees: &[Range<usize>; 2]) -> bool {
        let end = Place { offset: self.place.offset + self.len.cast_signed(), ..self.place };
        self.pair + self.len == pair && end == *place && self.sees == *sees
    }
}

/// How the pairs of an item are read.
enum Reads {
    /// In the order in which they lie in the input.
    InRuns(Vec<Run>),
    /// Each pair's value for the first result, from the item's first pair on; from result to result they all lie alike.
    Apart(Vec<usize>, Place),
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
        let mut input_copy = layout.take(job.walk_images);
        let mut gradient_copy = Scratch::take(if gradient_in_place.is_some() {
            0
        } else {
            job.walk_images * gradient_image + SLACK
        });
        let block_len = job.walk_images * job.walk_rows() * job.pass.count[1] * 2 * lanes::<S>();
        let mut block_copy = Scratch::take(if job.copies_blocks() { block_len } else { 0 });
        let reads = self.reads(&layout);
        let mut first = self.item.images.start;
        while first < self.item.images.end {
            let images = first..(first + job.walk_images).min(self.item.images.end);
            let input = match job.input.values {
                Source::Plain(values) if !layout.is_copy => {
                    values[first * layout.image + layout.first()..].as_ptr()
                }
                _ => {
                    layout.copy::<S>(&job.input, images.clone(), &mut input_copy);
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
            for slice in &layout.slices {
                let first = slice.channels.start.max(channels.start);
                let (pair, len) = (tap * group_in + first, slice.channels.end.min(channels.end) - first);
                let place = layout.place(slice, first, at);
                match runs.last_mut() {
                    Some(run) if run.is_before(pair, &place, &sees) => run.len += len,
                    _ => runs.push(Run { pair, len, place, sees: sees.clone() }),
                }
            }
        }
        if runs.len() * LONG_RUN > self.item.taps.len() * channels.len() {
            let values =
                |run: &Run| run.place.offset.unsigned_abs()..run.place.offset.unsigned_abs() + run.len;
            return Reads::Apart(runs.iter().flat_map(values).collect(), runs[0].place);
        }
        runs.sort_unstable_by_key(|run| run.place.offset);
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
                // Each run says how its values lie.
                value_row: 0,
                value_pixel: 0,
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
                            chunk.input.add(group * job.shape.group_in()),
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
    /// `values` plus every pair's place (and a run's slack), and `vectors` for the block's registers, must be readable along the
    /// walk, which begins at `first_row`.
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
        let shard = self.item.shard * job.shard_len;
        let (start, line) = match job.lines {
            Lines::Packed => (shard + job.layout.start(group, block), V * lanes::<S>()),
            Lines::AsWeight => (block.first, job.channels),
        };
        // SAFETY: reads are granted by the caller; the sums of this shard, block and these pairs belong to this
        // item alone.
        unsafe {
            let sums = job.sums.get().add(start);
            match reads {
                Reads::InRuns(runs) => {
                    for run in runs {
                        let [rows, columns] = run.sees.clone();
                        let end = rows.end.clamp(first_row, first_row + walk.rows);
                        let rows = rows.start.clamp(first_row, end)..end;
                        let vector =
                            (rows.start - first_row) * walk.vector_row + columns.start * walk.vector_pixel;
                        let value = rows.start * run.place.row + columns.start * run.place.pixel;
                        let values = values.wrapping_offset(run.place.offset).wrapping_add(value);
                        let (vectors, target) = (vectors.wrapping_add(vector), sums.add(run.pair * line));
                        let walk = Walk { rows: rows.len(), columns: columns.len(), ..walk };
                        let walk = run.place.walk(walk).straight();
                        correlate_run::<S, V>(values, run.len, vectors, walk, target, line, before, job.form);
                    }
                }
                Reads::Apart(offsets, place) => {
                    // Items that have only some channels have long runs.
                    let target = sums.add(self.item.taps.start * job.shape.group_in() * line);
                    let walk = place.walk(walk).straight();
                    let values = values.add(first_row * place.row);
                    match lanes::<S>() {
                        8 => correlate_apart::<S, 6, V>(values, offsets, vectors, walk, target, line, before),
                        _ => correlate_apart::<S, 8, V>(values, offsets, vectors, walk, target, line, before),
                    }
                }
            }
        }
        let has_first_pair = self.item.taps.start == 0 && self.item.channels.start == 0;
        if job.parameters == Parameters::WeightAndBias && has_first_pair {
            let channel = group * job.channels.next_multiple_of(lanes::<S>()) + block.first;
            // SAFETY: as above; the bias of this block belongs to the item with the first pair.
            unsafe {
                let target = job.sums.get().add(shard + job.bias_start + channel);
                add_pixels::<S, V>(target, vectors, walk.straight(), before);
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
            let start = image * walk.vector_image + row * walk.vector_row;
            // Whole fours first: sums that are chosen by a number of the compiler's stay in registers.
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
            let sum = match before {
                Before::Nothing => sum,
                Before::Sums => add::<S>(load::<S>(at), sum),
            };
            store::<S>(at, sum);
        }
    }
}
