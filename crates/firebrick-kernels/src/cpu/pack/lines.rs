//! The walk over a weight, in the order of its memory, that packs a block of it.

use super::layout::{Block, WeightStrides};
use super::transpose::{gather, gather_four};
use crate::cpu::shape::{ConvShape, Direction};

/// The lines of a packed block, `[tap][summed channel]`, in the order of the weight's memory.
pub(crate) struct PanelLines {
    /// For each tap, in the order of the weight's memory: floats from the channel's start in the weight, and the line of
    /// the first channel in the packed block.
    taps: Vec<(usize, usize)>,
    summed: usize,
    /// Floats from one summed channel to the next in the weight.
    stride: usize,
}

/// Lines that are visited together.
pub(super) enum LineGroup {
    One(usize),
    /// Neighbours in the weight.
    Four([usize; 4]),
}

impl PanelLines {
    pub(crate) fn new(shape: &ConvShape, direction: Direction, taps: &[[usize; 2]]) -> Self {
        let [summed, _] = direction.group_channels(shape);
        let strides = WeightStrides::new(shape, direction, 0, &Block { first: 0, channels: 1, registers: 1 });
        let offset_and_line = |(index, [y, x]): (usize, &[usize; 2])| (y * strides.row + x, index * summed);
        let mut taps: Vec<_> = taps.iter().enumerate().map(offset_and_line).collect();
        taps.sort_unstable();
        Self { taps, summed, stride: strides.summed }
    }

    /// Of a linear layer: `summed` channels, `stride` floats from one to the next.
    pub(crate) fn of_rows(summed: usize, stride: usize) -> Self {
        Self { taps: vec![(0, 0)], summed, stride }
    }

    /// How many.
    fn len(&self) -> usize {
        self.taps.len() * self.summed
    }

    /// Call `visit` with the offset in the weight for every line, four at a time where they are neighbours.
    pub(super) fn visit(&self, mut visit: impl FnMut(usize, LineGroup)) {
        // Offsets and lines that wait for enough neighbours.
        let mut waiting = [(0, 0); 4];
        let mut count = 0;
        for channel in 0..self.summed {
            for (offset, line) in &self.taps {
                waiting[count] = (channel * self.stride + offset, line + channel);
                count += 1;
                if count < waiting.len() {
                    continue;
                }
                if waiting[3].0 == waiting[0].0 + 3 {
                    visit(waiting[0].0, LineGroup::Four(waiting.map(|(_, line)| line)));
                    count = 0;
                } else {
                    visit(waiting[0].0, LineGroup::One(waiting[0].1));
                    waiting.copy_within(1.., 0);
                    count = 3;
                }
            }
        }
        for (offset, line) in &waiting[..count] {
            visit(*offset, LineGroup::One(*line));
        }
    }

    /// Pack the block of `weight` that `from` leads to: `[tap][summed channel][registers * lanes]`.
    pub(crate) fn pack_block(&self, from: &WeightStrides, weight: &[f32], block: &Block, target: &mut [f32]) {
        let row = target.len() / self.len().max(1);
        if block.channels < row {
            target.fill(0.0);
        }
        self.visit(|offset, group| {
            let source = &weight[from.start + offset..];
            match group {
                LineGroup::Four(lines) => {
                    gather_four(source, from.produced, block.channels, target, lines.map(|line| line * row));
                }
                LineGroup::One(line) => {
                    gather(source, from.produced, &mut target[line * row..][..block.channels])
                }
            }
        });
    }
}
