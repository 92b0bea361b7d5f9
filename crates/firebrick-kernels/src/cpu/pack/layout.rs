//! How a packed weight lies in memory.

use crate::cpu::scratch::Scratch;
use crate::cpu::shape::{ConvShape, Direction, WeightOrder};

/// A block of produced channels that fill one register, two, or four.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// First channel within the group.
    pub(crate) first: usize,
    /// Channels that exist.
    pub(crate) channels: usize,
    /// Registers.
    pub(crate) registers: usize,
}

/// How many registers a block may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MaxRegisters {
    One,
    Two,
    Four,
}

/// Split `channels` into blocks: of four registers where allowed and full, otherwise of two where allowed, the last of one
/// if that is enough.
pub(crate) fn blocks(channels: usize, lanes: usize, max_registers: MaxRegisters) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(channels.div_ceil(2 * lanes));
    let mut first = 0;
    while first < channels {
        let left = channels - first;
        let registers = match max_registers {
            MaxRegisters::Four if left >= 4 * lanes => 4,
            MaxRegisters::One => 1,
            _ if left > lanes => 2,
            _ => 1,
        };
        blocks.push(Block { first, channels: left.min(registers * lanes), registers });
        first += registers * lanes;
    }
    blocks
}

/// A packed weight: for each group and block, `[tap][summed channel][registers * lanes]`, zero in lanes beyond the last
/// channel. A block is BLIS's micropanel; a line of it is what one product of a sum reads: as many floats as the block's
/// registers hold.
pub(crate) struct PackedWeight {
    /// The blocks of a group.
    pub(crate) blocks: Vec<Block>,
    pub(super) values: Scratch,
    /// Floats from one group to the next.
    group_len: usize,
    /// Products summed for one output.
    pub(super) depth: usize,
    pub(super) lanes: usize,
}

impl PackedWeight {
    /// The weights of one block.
    pub(crate) fn block(&self, group: usize, block: &Block) -> &[f32] {
        &self.values[self.start(group, block)..][..self.depth * self.line(block)]
    }

    /// Room for `channels` of each group, for sums of `depth` products.
    pub(crate) fn new(
        groups: usize,
        channels: usize,
        depth: usize,
        lanes: usize,
        max_registers: MaxRegisters,
    ) -> Self {
        let group_len = channels.next_multiple_of(lanes) * depth;
        let blocks = blocks(channels, lanes, max_registers);
        Self { blocks, values: Scratch::take(groups * group_len), group_len, depth, lanes }
    }

    /// Where a block starts.
    pub(crate) fn start(&self, group: usize, block: &Block) -> usize {
        group * self.group_len + block.first * self.depth
    }

    /// Floats of one line of a block.
    pub(crate) fn line(&self, block: &Block) -> usize {
        block.registers * self.lanes
    }

    /// The whole buffer.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Where the values of one block lie in a weight that is not packed.
pub(crate) struct WeightStrides {
    /// The block's first value for the first summed channel.
    pub(crate) start: usize,
    /// Floats from one summed channel to the next.
    pub(crate) summed: usize,
    /// Floats from one produced channel to the next.
    pub(crate) produced: usize,
    /// Floats from one row of taps to the next.
    pub(crate) row: usize,
}

impl WeightStrides {
    pub(crate) fn new(shape: &ConvShape, direction: Direction, group: usize, block: &Block) -> Self {
        let plane = shape.kernel[0] * shape.kernel[1];
        let [of_in, of_out] = match shape.order {
            WeightOrder::OutIn => [plane, shape.group_in() * plane],
            WeightOrder::InOut => [shape.out_channels * plane, plane],
        };
        let (summed, produced) = match direction {
            Direction::Forward => (of_in, of_out),
            Direction::InputGradient => (of_out, of_in),
        };
        let start = group * shape.group_out() * of_out + block.first * produced;
        Self { start, summed, produced, row: shape.kernel[1] }
    }
}
