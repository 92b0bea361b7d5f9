//! Weights at the points, and their gradient back.

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::sizes::{POINTS, PRODUCTS};
use super::transform::{WeightGradientTransform, WeightTransform, both_axes, load_square, store_square};
use crate::cpu::cache::odd_cache_lines;
use crate::cpu::isa::Isa;
use crate::cpu::pack::{Block, MaxRegisters, PackedWeight, PanelLines, WeightStrides, blocks};
use crate::cpu::parallel::{parallel_for, threads_for_floats};
use crate::cpu::pass::Pass;
use crate::cpu::scratch::{Scratch, SharedOut};
use crate::cpu::shape::{ConvShape, Direction};
use crate::cpu::simd::lanes;

/// Weights at the points: for each point and block of produced channels, `[summed channel][registers * lanes]`.
pub(super) struct PointWeights {
    values: Scratch,
    /// Floats of one point.
    pub(super) plane: usize,
    /// Channels summed over.
    pub(super) summed: usize,
    /// Blocks of produced channels.
    pub(super) blocks: Vec<Block>,
}

impl PointWeights {
    /// Room for the weights of `summed` times `produced` channels.
    pub(super) fn new(summed: usize, produced: usize, lanes: usize) -> Self {
        let plane = odd_cache_lines(produced.next_multiple_of(lanes) * summed);
        let blocks = blocks(produced, lanes, MaxRegisters::Two);
        Self { values: Scratch::take(PRODUCTS * plane), plane, summed, blocks }
    }

    /// One block at one point.
    #[inline(always)]
    pub(super) fn block(&self, point: usize, block: &Block) -> *const f32 {
        self.values[point * self.plane + block.first * self.summed..].as_ptr()
    }
}

/// Transform a weight for one direction.
pub(super) struct TransformWeights<'a> {
    pub(super) shape: &'a ConvShape,
    pub(super) direction: Direction,
    pub(super) pass: &'a Pass,
    pub(super) weight: &'a [f32],
}

impl TransformWeights<'_> {
    /// Do it, with all threads if there is much of it.
    pub(super) fn run(&self, isa: Isa) -> PointWeights {
        let [summed, produced] = self.direction.group_channels(self.shape);
        let mut target = PointWeights::new(summed, produced, isa.lanes());
        let (out, plane) = (SharedOut::new(target.values.as_mut_ptr()), target.plane);
        let transform = |block: &Block| isa.run(TransformBlock { job: self, summed, block, out, plane });
        parallel_for(target.blocks.iter().collect(), threads_for_floats(PRODUCTS * plane), transform);
        target
    }
}

/// One block of [`TransformWeights`].
struct TransformBlock<'a> {
    job: &'a TransformWeights<'a>,
    summed: usize,
    block: &'a Block,
    out: SharedOut,
    plane: usize,
}

impl WithSimd for TransformBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { job, summed, block, out, plane } = self;
        let taps = &job.pass.taps;
        let mut packed = Scratch::take(taps.len() * summed * block.registers * lanes::<S>());
        let from = WeightStrides::new(job.shape, job.direction, 0, block);
        PanelLines::new(job.shape, job.direction, taps).pack_block(&from, job.weight, block, &mut packed);
        // SAFETY: the packed block holds `taps * summed` lines, and the target has the same block,
        // which no other thread writes, at each point.
        unsafe {
            match job.shape.kernel[0] {
                3 => to_points::<S, 3>(packed.as_ptr(), summed, block, out.get(), plane),
                5 => to_points::<S, 5>(packed.as_ptr(), summed, block, out.get(), plane),
                size => unreachable!("bug: Winograd's algorithm with a kernel of {size}"),
            }
        }
    }
}

/// Transform one block.
///
/// # Safety
/// `source` must hold `R * R * summed` lines of the block, `target` the block at each point.
#[inline(always)]
unsafe fn to_points<S: Simd, const R: usize>(
    source: *const f32,
    summed: usize,
    block: &Block,
    target: *mut f32,
    plane: usize,
) {
    let (width, line) = (lanes::<S>(), block.registers * lanes::<S>());
    for channel in 0..summed {
        for register in 0..block.registers {
            let at = channel * line + register * width;
            // SAFETY: granted by the caller.
            unsafe {
                let taps = load_square::<S, R>(source.add(at), [R * summed * line, summed * line]);
                let points = both_axes::<S, WeightTransform, R, POINTS>(taps);
                store_square::<S, POINTS>(
                    target.add(block.first * summed + at),
                    [POINTS * plane, plane],
                    &points,
                );
            }
        }
    }
}

/// Turn sums at the points (laid out as [`PointWeights`]) into the packed gradient of the weight.
pub(super) struct GatherGradient<'a> {
    pub(super) kernel: usize,
    pub(super) blocks: &'a [Block],
    pub(super) summed: usize,
    pub(super) plane: usize,
    pub(super) sums: &'a [f32],
    pub(super) layout: &'a PackedWeight,
    pub(super) target: SharedOut,
}

impl GatherGradient<'_> {
    /// Do it, with all threads if there is much of it.
    pub(super) fn run(&self, isa: Isa) {
        (0..self.blocks.len()).into_par_iter().for_each(|block| isa.run(GatherBlock { job: self, block }));
    }
}

/// One block of [`GatherGradient`].
struct GatherBlock<'a> {
    job: &'a GatherGradient<'a>,
    block: usize,
}

impl WithSimd for GatherBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        match self.job.kernel {
            3 => self.gather::<S, 3>(),
            5 => self.gather::<S, 5>(),
            size => unreachable!("bug: Winograd's algorithm with a kernel of {size}"),
        }
    }
}

impl GatherBlock<'_> {
    #[inline(always)]
    fn gather<S: Simd, const R: usize>(&self) {
        let (job, block) = (self.job, &self.job.blocks[self.block]);
        let (width, line) = (lanes::<S>(), block.registers * lanes::<S>());
        let source = job.sums[block.first * job.summed..].as_ptr();
        for channel in 0..job.summed {
            for register in 0..block.registers {
                let at = channel * line + register * width;
                let start = job.layout.start(0, block) + at;
                let tap = job.summed * line;
                // SAFETY: `sums` has this block at each of the points; the packed layout has its
                // lines for each tap, and no other thread writes this block.
                unsafe {
                    let points = load_square::<S, POINTS>(source.add(at), [POINTS * job.plane, job.plane]);
                    let taps = both_axes::<S, WeightGradientTransform, POINTS, R>(points);
                    store_square::<S, R>(job.target.get().add(start), [R * tap, tap], &taps);
                }
            }
        }
    }
}
