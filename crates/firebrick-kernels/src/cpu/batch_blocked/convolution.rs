//! A batch-blocked convolution from start to end: where it applies, its packed weight, its items.

use macerator::{Simd, WithSimd};

use super::item::RunItem;
use super::job::{Job, TapRead, TargetLine, panel_channels};
use crate::cpu::broadcast::Broadcast;
use crate::cpu::engine::Engine;
use crate::cpu::pack::{MaxRegisters, PackedWeight, pack};
use crate::cpu::parallel::{parallel_for, threads_for};
use crate::cpu::problem::Convolution;
use crate::cpu::shape::{ConvShape, Direction};

/// Products of one sum from which on a tile is worth its beginning and end. (A sum of one tap is not worth the packing.)
const MIN_DEPTH: usize = 256;

/// Whether a convolution without pooling goes this way.
pub(in crate::cpu) fn applies(engine: Engine, shape: &ConvShape, direction: Direction) -> bool {
    let [summed, _] = direction.group_channels(shape);
    // Images that the last block lacks cost as much as others.
    let few_missing = shape.batch.next_multiple_of(engine.broadcast.batch_block()) * 4 <= shape.batch * 5;
    engine.isa.lanes() == 16
        && shape.groups == 1
        && few_missing
        && shape.kernel != [1, 1]
        && panel_channels(summed).is_some()
        && summed * shape.kernel[0] * shape.kernel[1] >= MIN_DEPTH
}

/// Convolve `source` in one direction into `target`, which is written completely.
///
/// # Safety
/// As for [`direct::run`](crate::cpu::direct::run), without pooling.
pub(in crate::cpu) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, source, weight, bias, activation, target } = convolution;
    let [source_size, target_size] = direction.sizes(shape);
    let broadcast = engine.broadcast;
    let packed = engine.isa.run(PackWeights { shape, direction, weight, broadcast });
    let job = Job {
        shape,
        broadcast,
        source,
        source_size,
        target_size,
        channels: direction.group_channels(shape),
        lines: [0, 1].map(|axis| target_lines(shape, direction, axis)),
        bias,
        activation,
        packed: &packed,
        target,
    };
    let threads = threads_for(shape, job.channels[1]);
    parallel_for(job.items(threads), threads, |item| engine.isa.run(RunItem { job: &job, item }));
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
fn target_lines(shape: &ConvShape, direction: Direction, axis: usize) -> Vec<TargetLine> {
    let (stride, padding, dilation) = (shape.stride[axis], shape.padding[axis], shape.dilation[axis]);
    let [size, count] = direction.sizes(shape).map(|size| size[axis]);
    let last = shape.kernel[axis] - 1;
    let read = |index: usize, tap: usize| {
        let at = match direction {
            Direction::Forward => (index * stride + tap * dilation).checked_sub(padding)?,
            Direction::InputGradient => {
                let at = (index + padding).checked_sub((last - tap) * dilation)?;
                at.is_multiple_of(stride).then_some(at / stride)?
            }
        };
        (at < size).then_some(TapRead { tap, at })
    };
    let reads = |index| (0..=last).filter_map(|tap| read(index, tap)).collect();
    (0..count).map(|index| TargetLine { index, reads: reads(index) }).collect()
}

/// [`pack`] for the instruction set in use.
struct PackWeights<'a> {
    shape: &'a ConvShape,
    direction: Direction,
    weight: &'a [f32],
    broadcast: Broadcast,
}

impl WithSimd for PackWeights<'_> {
    type Output = PackedWeight;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> PackedWeight {
        let taps = taps(self.shape, self.direction);
        let max_registers = match self.broadcast {
            Broadcast::Embedded => MaxRegisters::One,
            Broadcast::Explicit => MaxRegisters::Two,
        };
        pack::<S>(self.shape, self.direction, &taps, self.weight, max_registers)
    }
}
