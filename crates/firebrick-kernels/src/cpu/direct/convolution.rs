//! A direct convolution from start to end: its passes, their packed weights, their items.

use macerator::{Simd, WithSimd};

use super::item::RunItem;
use super::job::{Job, Zeros};
use crate::cpu::cache::LAST_LEVEL_CACHE_FLOATS;
use crate::cpu::engine::Engine;
use crate::cpu::microkernel::DEPTH_BLOCK;
use crate::cpu::pack::{MaxRegisters, PackedWeight, pack, pack_pairs};
use crate::cpu::parallel::{parallel_for, threads_for};
use crate::cpu::pass::{Pairs, Pass};
use crate::cpu::problem::Convolution;
use crate::cpu::shape::{ConvShape, Direction};
use crate::cpu::simd::lanes;

/// Products of one sum up to which the widest registers form blocks of four: one broadcast then serves four of them, but
/// twice as many weights stream from the second-level cache.
const MAX_FOUR_REGISTER_DEPTH: usize = 1024;

/// Convolve `source` in one direction into `target`, which is written completely.
///
/// # Safety
/// `target` must be writable for every value of the produced tensor, and not otherwise used meanwhile;
/// it may ask for pooling only in the forward direction.
pub(in crate::cpu) unsafe fn run(engine: Engine, convolution: Convolution<'_>) {
    let Convolution { shape, direction, target, .. } = convolution;
    let passes = Pass::all(shape, direction);
    let lanes = engine.isa.lanes();
    let mut zeros = zeros(&convolution, &passes, lanes);
    if zeros.fills_rows && !passes.iter().any(Pass::has_products) {
        // SAFETY: granted by the caller.
        return unsafe { target.values.get().write_bytes(0, shape.input_len()) };
    }
    for pass in passes.iter().filter(|pass| pass.has_products()) {
        run_pass(engine, lanes, &convolution, pass, std::mem::take(&mut zeros));
    }
}

/// One pass, which also writes `zeros`. The caller of [`run`] grants the target.
fn run_pass(engine: Engine, lanes: usize, convolution: &Convolution<'_>, pass: &Pass, zeros: Zeros) {
    let Convolution { shape, direction, source, weight, bias, activation, target } = *convolution;
    let [summed, produced] = direction.group_channels(shape);
    let [_, target_size] = direction.sizes(shape);
    let pairs = match (may_pair(shape, produced, lanes), target.codes) {
        (true, None) => pass.in_pairs(),
        (true, Some(_)) => pass.in_pairs_of_windows(),
        (false, _) => None,
    };
    let (pass, packed, pixels_per_vector) = match &pairs {
        Some(Pairs { pass, taps }) => (pass, pack_pairs(shape, direction, taps, weight, lanes), 2),
        None => {
            let packed =
                engine.isa.run(PackWeights { shape, direction, pass, weight, pools: target.codes.is_some() });
            (pass, packed, 1)
        }
    };
    let bias = bias.map(|bias| bias.repeat(pixels_per_vector));
    let job = Job {
        pass,
        source,
        shape,
        summed,
        produced,
        pixels_per_vector,
        bias: bias.as_deref(),
        activation,
        packed: &packed,
        is_depth_blocked: is_depth_blocked(shape, direction),
        zeros,
        target,
        target_size: if target.codes.is_some() { target_size.map(|size| size / 2) } else { target_size },
    };
    let threads = threads_for(shape, produced);
    parallel_for(job.items(threads), threads, |item| engine.isa.run(RunItem { job: &job, item }));
}

/// Whether two neighbouring results may share a register.
fn may_pair(shape: &ConvShape, produced: usize, lanes: usize) -> bool {
    2 * produced <= lanes && shape.groups == 1
}

/// Whether a linear layer's sum is added up in parts of [`DEPTH_BLOCK`].
fn is_depth_blocked(shape: &ConvShape, direction: Direction) -> bool {
    shape.kernel == [1, 1] && direction.group_channels(shape)[0] > DEPTH_BLOCK
}

/// How the zeros of an input gradient are written, of pixels that no output has read: beside results while those are summed,
/// or else in long runs by the items of the first pass.
fn zeros(convolution: &Convolution<'_>, passes: &[Pass], lanes: usize) -> Zeros {
    let Convolution { shape, direction, .. } = *convolution;
    let [_, produced] = direction.group_channels(shape);
    let sums_otherwise = may_pair(shape, produced, lanes)
        || is_depth_blocked(shape, direction)
        || !produced.is_multiple_of(lanes);
    let beside = unread_neighbours(shape, passes, sums_otherwise);
    let fills_rows = beside.is_empty() && passes.iter().any(|pass| pass.taps.is_empty());
    Zeros { fills_rows, beside }
}

/// Where unread pixels lie beside each result of an input gradient, in floats; nowhere if there is not one such result for
/// each, or if the gradient does not stay in the last-level cache, which then would bring its lines from memory to have them
/// overwritten.
fn unread_neighbours(shape: &ConvShape, passes: &[Pass], sums_otherwise: bool) -> Vec<isize> {
    let Some(read) = passes.iter().find(|pass| pass.has_products()) else { return Vec::new() };
    let unread = passes.iter().filter(|pass| pass.taps.is_empty());
    let are_as_many = unread.clone().all(|pass| pass.count == read.count);
    if shape.kernel != [1, 1]
        || sums_otherwise
        || !are_as_many
        || shape.input_len() >= LAST_LEVEL_CACHE_FLOATS
    {
        return Vec::new();
    }
    let of_pass = |pass: &Pass| {
        let [y, x] = [0, 1].map(|axis| pass.first[axis].cast_signed() - read.first[axis].cast_signed());
        (y * shape.input[1].cast_signed() + x) * shape.in_channels.cast_signed()
    };
    unread.map(of_pass).collect()
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
    type Output = PackedWeight;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> PackedWeight {
        let depth = self.direction.group_channels(self.shape)[0] * self.pass.taps.len();
        let may_have_four = lanes::<S>() == 16 && depth <= MAX_FOUR_REGISTER_DEPTH && !self.pools;
        let max_registers = if may_have_four { MaxRegisters::Four } else { MaxRegisters::Two };
        pack::<S>(self.shape, self.direction, &self.pass.taps, self.weight, max_registers)
    }
}
