//! A weight gradient from start to end: how its sums lie, its items, and its result.

use super::item::RunItem;
use super::job::{CHUNK_PIXELS, Job, SumOrder};
use crate::cpu::broadcast::Broadcast;
use crate::cpu::engine::Engine;
use crate::cpu::microkernel::MAX_OVERREAD;
use crate::cpu::pack::{MaxRegisters, PackedWeight, unpack, unpack_pairs};
use crate::cpu::parallel::{parallel_for, threads_for};
use crate::cpu::pass::{Pairs, Pass};
use crate::cpu::problem::{ConvGradients, Parameters};
use crate::cpu::scratch::{Scratch, SharedOut};
use crate::cpu::shape::{ConvShape, Direction, WeightOrder};
use crate::cpu::shards::add_shards;
use crate::cpu::source::SourceImages;

/// Shards of the batch, each with its own sums, by the length of the weight up to which there are so many. Part of the
/// order of additions. Without shards every item copies the whole batch, with them there are more sums to add up.
const SHARDS: [(usize, usize); 2] = [(1 << 17, 8), (1 << 19, 4)];

/// Channels from which on leaving out the border saves more than longer runs, over the taps of a row, do.
const BORDER_CHANNELS: usize = 32;

/// Channels up to which two neighbouring pixels fill a register better than one. Part of the order of additions.
const PAIRED_CHANNELS: usize = 8;

/// How a gradient is summed.
struct Plan<'a> {
    shape: &'a ConvShape,
    pass: &'a Pass,
    /// For each tap offset the taps of the two results that share a register, where they do.
    paired_taps: Option<&'a [[Option<[usize; 2]>; 2]]>,
    /// Output channels of one result of the pass.
    channels: usize,
    lanes: usize,
    layout: PackedWeight,
    order: SumOrder,
    walk_images: usize,
    shards: usize,
    shard_len: usize,
    bias_start: usize,
    parameters: Parameters,
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
    let may_pair = shape.groups == 1 && shape.out_channels <= PAIRED_CHANNELS;
    let pairs = if may_pair { pass.in_pairs() } else { None };
    let plan = Plan::new(shape, pass, pairs.as_ref(), engine.isa.lanes(), parameters);
    let len = plan.shards * plan.shard_len;
    match plan.order {
        SumOrder::AsWeight => {
            let mut weight = Vec::with_capacity(len);
            plan.sum(engine, input, gradient, SharedOut::new(weight.as_mut_ptr()));
            // SAFETY: it has room for that many, and the items have written all pairs of all blocks, and the bias.
            unsafe { weight.set_len(len) };
            let bias = weight.split_off(plan.bias_start);
            ConvGradients { weight, bias: plan.has_bias().then_some(bias) }
        }
        SumOrder::Packed => {
            let mut sums = Scratch::take(len);
            plan.sum(engine, input, gradient, SharedOut::new(sums.as_mut_ptr()));
            let (total, others) = sums.split_at_mut(plan.shard_len);
            add_shards(engine, total, others);
            plan.unpack(total)
        }
    }
}

impl<'a> Plan<'a> {
    /// The shape alone decides what bears on the order of additions, not the register width.
    fn new(
        shape: &'a ConvShape,
        pass: &'a Pass,
        pairs: Option<&'a Pairs>,
        lanes: usize,
        parameters: Parameters,
    ) -> Self {
        let (pass, channels) = match pairs {
            Some(Pairs { pass, .. }) => (pass, 2 * shape.group_out()),
            None => (pass, shape.group_out()),
        };
        let depth = shape.group_in() * pass.tap_offsets.len();
        let layout = PackedWeight::new(shape.groups, channels, depth, lanes, MaxRegisters::Two);
        let pixels = pass.count[0] * pass.count[1];
        let walk_images = (CHUNK_PIXELS / pixels).clamp(1, shape.batch);
        let by_length = SHARDS.iter().find(|(len, _)| shape.weight_len() <= *len);
        let shards = by_length.map_or(1, |(_, shards)| *shards).min(shape.batch.div_ceil(walk_images));
        // Registers of the last channels must end with them.
        let has_weight_order = shards == 1
            && pairs.is_none()
            && shape.order == WeightOrder::InOut
            && shape.kernel == [1, 1]
            && channels.is_multiple_of(lanes);
        let bias_start = layout.values().len();
        let mut plan = Self {
            shape,
            pass,
            paired_taps: pairs.map(|pairs| &pairs.taps[..]),
            channels,
            lanes,
            layout,
            order: if has_weight_order { SumOrder::AsWeight } else { SumOrder::Packed },
            walk_images,
            shards,
            shard_len: bias_start,
            bias_start,
            parameters,
        };
        if plan.has_bias() {
            plan.shard_len += shape.groups * plan.padded_channels();
        }
        plan
    }

    fn has_bias(&self) -> bool {
        self.parameters == Parameters::WeightAndBias
    }

    /// Channels of a group in whole registers.
    fn padded_channels(&self) -> usize {
        self.channels.next_multiple_of(self.lanes)
    }

    /// Write the sums of all shards, one after the other.
    fn sum(&self, engine: Engine, input: SourceImages<'_>, gradient: SourceImages<'_>, sums: SharedOut) {
        let (shape, pass) = (self.shape, self.pass);
        let job = Job {
            shape,
            pass,
            skips_border: self.paired_taps.is_none()
                && shape.group_in() >= BORDER_CHANNELS
                && shape.group_in().is_multiple_of(MAX_OVERREAD + 1),
            avoids_set_conflicts: pass.tap_offsets.len() > 1
                && (self.lanes < 16 || engine.broadcast == Broadcast::Embedded),
            channels: self.channels,
            input,
            gradient,
            layout: &self.layout,
            walk_images: self.walk_images,
            broadcast: engine.broadcast,
            sum_order: self.order,
            sums,
            shard_len: self.shard_len,
            bias_start: self.bias_start,
            parameters: self.parameters,
        };
        let threads = threads_for(shape, shape.group_out());
        let items = job.items(self.shards, threads);
        parallel_for(items, threads, |item| engine.isa.run(RunItem { job: &job, item }));
    }

    /// The gradients from the sums of the whole batch.
    fn unpack(&self, total: &[f32]) -> ConvGradients {
        if let Some(taps) = self.paired_taps {
            return unpack_pairs(self.shape, taps, &self.layout, total, self.parameters);
        }
        let weight = unpack(self.shape, &self.pass.taps, &self.layout, total);
        let groups = total[self.bias_start..].chunks_exact(self.padded_channels());
        let bias = groups.flat_map(|group| group[..self.channels].iter().copied());
        ConvGradients { weight, bias: self.has_bias().then(|| bias.collect()) }
    }
}
