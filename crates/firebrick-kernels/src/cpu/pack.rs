//! Weights in the order in which the register tiles read them.

use macerator::Simd;

use super::scratch::Scratch;
use super::shape::ConvShape;
use super::simd::lanes;

/// Which channels are summed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// Sum over input channels, produce output channels.
    Forward,
    /// Sum over output channels, produce input channels.
    InputGradient,
}

impl Direction {
    /// Channels summed over and channels produced, in one group.
    pub(crate) fn group_channels(self, shape: &ConvShape) -> [usize; 2] {
        match self {
            Self::Forward => [shape.group_in(), shape.group_out()],
            Self::InputGradient => [shape.group_out(), shape.group_in()],
        }
    }
}

/// A block of produced channels: `V` registers wide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// First channel within the group.
    pub(crate) first: usize,
    /// Channels that exist.
    pub(crate) channels: usize,
    /// Registers.
    pub(crate) registers: usize,
}

/// Split `channels` into blocks of two registers, the last of one if that is enough.
pub(crate) fn blocks(channels: usize, lanes: usize) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(channels.div_ceil(2 * lanes));
    let mut first = 0;
    while first < channels {
        let left = channels - first;
        let registers = if left > lanes { 2 } else { 1 };
        blocks.push(Block { first, channels: left.min(registers * lanes), registers });
        first += registers * lanes;
    }
    blocks
}

/// Packed weights: for each group and block, `[tap][summed channel][registers * lanes]`, zero in
/// lanes beyond the last channel.
pub(crate) struct Packed {
    values: Scratch,
    group_len: usize,
    depth: usize,
    lanes: usize,
}

impl Packed {
    /// The weights of one block.
    pub(crate) fn block(&self, group: usize, block: &Block) -> &[f32] {
        &self.values[self.start(group, block)..][..self.depth * block.registers * self.lanes]
    }

    /// Floats from one group to the next, and products summed for one output.
    pub(crate) fn new(groups: usize, channels: usize, depth: usize, lanes: usize) -> Self {
        let group_len = channels.next_multiple_of(lanes) * depth;
        Self { values: Scratch::take(groups * group_len), group_len, depth, lanes }
    }

    /// Floats in a register of the instruction set that packed them.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }

    /// Where a block starts.
    pub(crate) fn start(&self, group: usize, block: &Block) -> usize {
        group * self.group_len + block.first * self.depth
    }

    /// The whole buffer.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The whole buffer.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

/// Undo [`pack`] for [`Direction::Forward`]: write the packed `values` (in the layout of `layout`) to a weight `[out, in / groups, height, width]`.
pub(crate) fn unpack(
    shape: &ConvShape,
    taps: &[[usize; 2]],
    lanes: usize,
    layout: &Packed,
    values: &[f32],
) -> Vec<f32> {
    let mut weight = vec![0.0; shape.weight_len()];
    let (group_in, group_out) = (shape.group_in(), shape.group_out());
    let plane = shape.kernel[0] * shape.kernel[1];
    for group in 0..shape.groups {
        for block in blocks(group_out, lanes) {
            let row = block.registers * lanes;
            let packed = &values[layout.start(group, &block)..][..layout.depth * row];
            let first = group * group_out + block.first;
            let filters = &mut weight[first * group_in * plane..][..block.channels * group_in * plane];
            // Channel by channel, so that what is read and written stays in the first cache.
            for channel in 0..group_in {
                for (index, &[y, x]) in taps.iter().enumerate() {
                    let line = &packed[(index * group_in + channel) * row..][..block.channels];
                    let start = channel * plane + y * shape.kernel[1] + x;
                    for (target, value) in filters[start..].iter_mut().step_by(group_in * plane).zip(line) {
                        *target = *value;
                    }
                }
            }
        }
    }
    weight
}

/// Pack a weight `[out, in / groups, height, width]` for `taps` (their order is the order of summation).
pub(crate) fn pack<S: Simd>(
    shape: &ConvShape,
    direction: Direction,
    taps: &[[usize; 2]],
    weight: &[f32],
) -> Packed {
    let [summed, produced] = direction.group_channels(shape);
    let width = lanes::<S>();
    let mut packed = Packed::new(shape.groups, produced, taps.len() * summed, width);
    let (group_len, depth) = (packed.group_len, packed.depth);
    let plane = shape.kernel[0] * shape.kernel[1];
    let group_in = shape.group_in();
    let values = packed.values_mut();
    for group in 0..shape.groups {
        for block in blocks(produced, width) {
            let row = block.registers * width;
            let target = &mut values[group * group_len + block.first * depth..][..depth * row];
            // Channel by channel, so that what is read and written stays in the first cache.
            for channel in 0..summed {
                for (index, &[y, x]) in taps.iter().enumerate() {
                    let tap = y * shape.kernel[1] + x;
                    // Floats from one produced channel to the next, and the first of them.
                    let (step, start) = match direction {
                        Direction::Forward => {
                            let out = group * shape.group_out() + block.first;
                            (group_in * plane, out * group_in * plane + channel * plane + tap)
                        }
                        Direction::InputGradient => {
                            let out = group * shape.group_out() + channel;
                            (plane, (out * group_in + block.first) * plane + tap)
                        }
                    };
                    let (line, rest) =
                        target[(index * summed + channel) * row..][..row].split_at_mut(block.channels);
                    for (value, source) in line.iter_mut().zip(weight[start..].iter().step_by(step)) {
                        *value = *source;
                    }
                    rest.fill(0.0);
                }
            }
        }
    }
    packed
}
