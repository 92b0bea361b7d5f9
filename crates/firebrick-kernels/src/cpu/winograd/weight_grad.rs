//! The gradient of a convolution's weight by Winograd's algorithm.
//!
//! The order of additions is fixed by the shape alone: tiles within a part, parts within a shard of
//! the batch, then shards.

use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::grid::{Grid, Part};
use super::input::InputPoints;
use super::sizes::{POINTS, PRODUCTS};
use super::transform::{Evaluate, both_axes, load_square, store_square, sum_square};
use super::weights::{GatherGradient, PointWeights};
use crate::cpu::broadcast::Broadcast;
use crate::cpu::cache::odd_cache_lines;
use crate::cpu::engine::Engine;
use crate::cpu::microkernel::{Accumulate, Walk, correlate_contiguous};
use crate::cpu::pack::{Block, MaxRegisters, PackedWeight, unpack};
use crate::cpu::parallel::{ITEMS_PER_THREAD, part};
use crate::cpu::pass::Pass;
use crate::cpu::problem::{ConvGradients, Parameters};
use crate::cpu::scratch::{Scratch, SharedOut};
use crate::cpu::shape::{ConvShape, Direction};
use crate::cpu::shards::add_shards;
use crate::cpu::simd::{add, lanes, load, store};
use crate::cpu::source::SourceImages;

/// Tiles of a part. Part of the order of additions.
const PART_TILES: usize = 64;

/// Shards of the batch when each may have its own sums. Part of the order of additions.
const SHARDS: usize = 8;

/// Products of channels up to which every shard gets its own sums.
const SHARD_CHANNELS: usize = 64 * 64;

/// Floats of inputs and gradients at the points that one step of a batch with shared sums holds.
const STEP_FLOATS: usize = 4 << 20;

/// Everything that the items share.
struct Job<'a> {
    shape: &'a ConvShape,
    grid: Grid,
    input: SourceImages<'a>,
    gradient: SourceImages<'a>,
    weights: &'a PointWeights,
    broadcast: Broadcast,
    parameters: Parameters,
}

/// Values of some tiles at the points: `[point][tile][channel]`.
#[derive(Clone, Copy)]
struct Points {
    start: SharedOut,
    plane: usize,
    pixel: usize,
}

/// Gradients of the weight, and of the bias if it is wanted.
pub(in crate::cpu) fn run(
    engine: Engine,
    shape: &ConvShape,
    input: SourceImages<'_>,
    gradient: SourceImages<'_>,
    parameters: Parameters,
) -> ConvGradients {
    let pass = &Pass::all(shape, Direction::Forward)[0];
    let width = engine.isa.lanes();
    let weights = PointWeights::new(shape.in_channels, shape.out_channels, width);
    let job = Job {
        shape,
        grid: Grid::new(shape, pass),
        input,
        gradient,
        weights: &weights,
        broadcast: engine.broadcast,
        parameters,
    };
    let shared = shape.in_channels * shape.out_channels > SHARD_CHANNELS;
    let sums = if shared { job.shared_sums(engine) } else { job.sharded_sums(engine) };
    let taps = &pass.taps;
    let layout =
        PackedWeight::new(1, shape.out_channels, taps.len() * shape.in_channels, width, MaxRegisters::Two);
    let mut packed = Scratch::take(layout.values().len());
    let gather = GatherGradient {
        kernel: shape.kernel[0],
        blocks: &weights.blocks,
        summed: shape.in_channels,
        plane: weights.plane,
        sums: &sums,
        layout: &layout,
        target: SharedOut::new(packed.as_mut_ptr()),
    };
    gather.run(engine.isa);
    let weight = unpack(shape, taps, &layout, &packed);
    let bias = job.sums_bias().then(|| sums[PRODUCTS * weights.plane..][..shape.out_channels].to_vec());
    ConvGradients { weight, bias }
}

impl Job<'_> {
    fn sums_bias(&self) -> bool {
        self.parameters == Parameters::WeightAndBias
    }

    /// Floats of all sums: the weight's at the points, then the bias's (zeros if it is not wanted).
    fn sums_len(&self) -> usize {
        PRODUCTS * self.weights.plane + self.shape.out_channels.next_multiple_of(16)
    }

    /// Every shard of the batch adds up on its own.
    fn sharded_sums(&self, engine: Engine) -> Scratch {
        let len = self.sums_len();
        let batch = self.shape.batch;
        let shards = SHARDS.min(batch);
        let mut sums = Scratch::zeroed(shards * len);
        sums.par_chunks_exact_mut(len).enumerate().for_each(|(shard, sums)| {
            let images = part(batch, shard, shards);
            for part in self.grid.parts(images, PART_TILES) {
                engine.isa.run(AddPart { job: self, part, sums: SharedOut::new(sums.as_mut_ptr()) });
            }
        });
        let (total, others) = sums.split_at_mut(len);
        add_shards(engine, total, others);
        sums
    }

    /// One set of sums: threads share the transforms, then the points.
    fn shared_sums(&self, engine: Engine) -> Scratch {
        let mut sums = Scratch::zeroed(self.sums_len());
        let parts = self.grid.parts(0..self.shape.batch, PART_TILES);
        let per_part = PRODUCTS * PART_TILES * (self.shape.in_channels + self.shape.out_channels);
        for parts in parts.chunks((STEP_FLOATS / per_part).max(1)) {
            self.add_parts(engine, parts, &mut sums);
        }
        sums
    }

    /// Add some parts to sums that all of them share.
    fn add_parts(&self, engine: Engine, parts: &[Part], sums: &mut [f32]) {
        let lanes = engine.isa.lanes();
        let pixels =
            [self.shape.in_channels, self.shape.out_channels].map(|size| size.next_multiple_of(lanes));
        let tiles: usize = parts.iter().map(|part| self.grid.len(part)).sum();
        let planes = pixels.map(|pixel| odd_cache_lines(tiles * pixel));
        let mut buffers = planes.map(|plane| Scratch::take(PRODUCTS * plane));
        let [inputs, gradients] = std::array::from_fn(|index| Points {
            start: SharedOut::new(buffers[index].as_mut_ptr()),
            plane: planes[index],
            pixel: pixels[index],
        });
        let mut first = 0;
        let starts: Vec<(usize, &Part)> = parts
            .iter()
            .map(|part| {
                let start = first;
                first += self.grid.len(part);
                (start, part)
            })
            .collect();
        let mut part_bias = Scratch::zeroed(starts.len() * pixels[1]);
        let biases = part_bias.par_chunks_exact_mut(pixels[1]);
        starts.into_par_iter().zip(biases).for_each(|((first, part), bias)| {
            let bias = self.sums_bias().then(|| SharedOut::new(bias.as_mut_ptr()));
            engine.isa.run(FillPart { job: self, part, inputs, gradients, first, bias });
        });
        let total = &mut sums[PRODUCTS * self.weights.plane..][..pixels[1]];
        add_shards(engine, total, &part_bias);
        let sums = SharedOut::new(sums.as_mut_ptr());
        let splits = (rayon::current_num_threads() * ITEMS_PER_THREAD).div_ceil(PRODUCTS).max(1);
        (0..PRODUCTS * splits).into_par_iter().for_each(|item| {
            let (point, split) = (item / splits, item % splits);
            let channels = part(self.shape.in_channels, split, splits);
            engine.isa.run(AddPoint { job: self, point, channels, tiles, inputs, gradients, sums });
        });
    }
}

/// Transform a part's inputs and gradients into the lines from `first` on.
struct FillPart<'a> {
    job: &'a Job<'a>,
    part: &'a Part,
    inputs: Points,
    gradients: Points,
    first: usize,
    /// The bias's gradient, if it is wanted: the part's sums are added to it.
    bias: Option<SharedOut>,
}

impl WithSimd for FillPart<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { job, part, inputs, gradients, first, bias } = self;
        // SAFETY: both buffers have lines for every tile of the step, and these belong to this part.
        unsafe {
            let target = inputs.start.get().add(first * inputs.pixel);
            InputPoints::fill::<S>(&job.grid, &job.input, part, target, inputs.plane, inputs.pixel);
            let target = gradients.start.get().add(first * gradients.pixel);
            match job.grid.tile {
                2 => fill_gradients::<S, 2>(job, part, target, gradients.plane, gradients.pixel, bias),
                4 => fill_gradients::<S, 4>(job, part, target, gradients.plane, gradients.pixel, bias),
                tile => unreachable!("bug: Winograd's algorithm with tiles of {tile}"),
            }
        }
    }
}

/// Evaluate the gradients of a part's tiles at the points, and add them up for the bias.
///
/// # Safety
/// As for [`InputPoints::fill`]; `bias` must be writable for the channels in whole registers.
#[inline(always)]
unsafe fn fill_gradients<S: Simd, const M: usize>(
    job: &Job<'_>,
    part: &Part,
    target: *mut f32,
    plane: usize,
    pixel: usize,
    bias: Option<SharedOut>,
) {
    let channels = job.gradient.channels;
    let squares = job.grid.gradients::<S>(&job.gradient, part);
    let mut tile = 0;
    for image in 0..part.images.len() {
        for row in 0..part.rows.len() {
            for column in 0..job.grid.tiles[1] {
                let corner = image * squares.image + row * M * squares.pitch + column * M * channels;
                for channel in (0..channels).step_by(lanes::<S>()) {
                    // SAFETY: the tile's square lies in the window that `squares` covers (a
                    // partial register ends in the room after it), and line `tile` exists.
                    unsafe {
                        let from = squares.start.add(corner + channel);
                        let to = target.add(tile * pixel + channel);
                        let pixels = load_square::<S, M>(from, [squares.pitch, channels]);
                        let points = both_axes::<S, Evaluate, M, POINTS>(pixels);
                        store_square::<S, POINTS>(to, [POINTS * plane, plane], &points);
                        if let Some(bias) = bias {
                            let bias = bias.get().add(channel);
                            store::<S>(bias, add::<S>(load::<S>(bias), sum_square::<S, M>(&pixels)));
                        }
                    }
                }
                tile += 1;
            }
        }
    }
}

/// Transform a part and add it to its shard's sums.
struct AddPart<'a> {
    job: &'a Job<'a>,
    part: Part,
    sums: SharedOut,
}

impl WithSimd for AddPart<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { job, part, sums } = self;
        let tiles = job.grid.len(&part);
        let pixels =
            [job.shape.in_channels, job.shape.out_channels].map(|size| size.next_multiple_of(lanes::<S>()));
        let planes = pixels.map(|pixel| odd_cache_lines(tiles * pixel));
        let mut buffers = planes.map(|plane| Scratch::take(PRODUCTS * plane));
        let [inputs, gradients] = std::array::from_fn(|index| Points {
            start: SharedOut::new(buffers[index].as_mut_ptr()),
            plane: planes[index],
            pixel: pixels[index],
        });
        // SAFETY: the bias's sums follow the weight's.
        let of_bias = || SharedOut::new(unsafe { sums.get().add(PRODUCTS * job.weights.plane) });
        let bias = job.sums_bias().then(of_bias);
        FillPart { job, part: &part, inputs, gradients, first: 0, bias }.with_simd::<S>();
        for point in 0..PRODUCTS {
            let channels = 0..job.shape.in_channels;
            AddPoint { job, point, channels, tiles, inputs, gradients, sums }.with_simd::<S>();
        }
    }
}

/// Add the products of some tiles at one point to the sums of some input channels.
struct AddPoint<'a> {
    job: &'a Job<'a>,
    point: usize,
    channels: Range<usize>,
    tiles: usize,
    inputs: Points,
    gradients: Points,
    sums: SharedOut,
}

impl WithSimd for AddPoint<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        for block in &self.job.weights.blocks {
            // SAFETY: the buffers have `tiles` lines at this point; the sums of these channels at
            // this point belong to this item alone.
            unsafe {
                match block.registers {
                    1 => self.add::<S, 1>(block),
                    _ => self.add::<S, 2>(block),
                }
            }
        }
    }
}

impl AddPoint<'_> {
    /// One block of output channels.
    ///
    /// # Safety
    /// Both buffers must have `tiles` lines at the point, and no other thread may use these sums.
    #[inline(always)]
    unsafe fn add<S: Simd, const V: usize>(&self, block: &Block) {
        let line = V * lanes::<S>();
        // Parts of `PART_TILES` keep the order of additions the same however parts are joined.
        for first in (0..self.tiles).step_by(PART_TILES) {
            let walk = Walk {
                images: 1,
                value_image: 0,
                vector_image: 0,
                rows: 1,
                columns: PART_TILES.min(self.tiles - first),
                value_row: 0,
                value_pixel: self.inputs.pixel,
                vector_row: 0,
                vector_pixel: self.gradients.pixel,
            };
            // SAFETY: lines from `first` on exist in both buffers, and each plane ends in a spare cache line;
            // channels of the sums exist too.
            unsafe {
                let values =
                    self.inputs.start.get().add(self.point * self.inputs.plane + first * self.inputs.pixel);
                let vectors = self
                    .gradients
                    .start
                    .get()
                    .add(self.point * self.gradients.plane + first * self.gradients.pixel + block.first);
                let sums = self
                    .sums
                    .get()
                    .add(self.point * self.job.weights.plane + block.first * self.job.weights.summed);
                let first = self.channels.start;
                let (values, sums) = (values.add(first).cast_const(), sums.add(first * line));
                let (count, broadcast) = (self.channels.len(), self.job.broadcast);
                correlate_contiguous::<S, V>(
                    values,
                    count,
                    vectors,
                    walk,
                    sums,
                    line,
                    Accumulate::Add,
                    broadcast,
                );
            }
        }
    }
}
