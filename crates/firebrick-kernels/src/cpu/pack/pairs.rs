//! Packing for convolutions of so few channels that two neighbouring results share a register.

use super::layout::{Block, MaxRegisters, PackedWeight, WeightStrides};
use super::transpose::gather;
use crate::cpu::problem::{ConvGradients, Parameters};
use crate::cpu::shape::{ConvShape, Direction};

/// Pack a weight for pairs of results: `[tap offset][summed channel]`, the left result's channels, then
/// the right one's. Both must fit a register of `lanes`.
pub(crate) fn pack_pairs(
    shape: &ConvShape,
    direction: Direction,
    taps: &[[Option<[usize; 2]>; 2]],
    weight: &[f32],
    lanes: usize,
) -> PackedWeight {
    let [summed, produced] = direction.group_channels(shape);
    let mut packed = PackedWeight::new(1, 2 * produced, taps.len() * summed, lanes, MaxRegisters::Two);
    packed.values.fill(0.0);
    let from = WeightStrides::new(shape, direction, 0, &Block { first: 0, channels: produced, registers: 1 });
    for (index, sides) in taps.iter().enumerate() {
        for channel in 0..summed {
            let line = &mut packed.values[(index * summed + channel) * lanes..][..2 * produced];
            for (side, line) in sides.iter().zip(line.chunks_exact_mut(produced)) {
                if let Some([y, x]) = side {
                    let start = from.start + channel * from.summed + y * from.row + x;
                    gather(&weight[start..], from.produced, line);
                }
            }
        }
    }
    packed
}

/// Gradients from the sums over pairs of pixels: the left ones' and the right ones' added up.
pub(crate) fn unpack_pairs(
    shape: &ConvShape,
    taps: &[[Option<[usize; 2]>; 2]],
    layout: &PackedWeight,
    sums: &[f32],
    parameters: Parameters,
) -> ConvGradients {
    let [group_in, group_out] = [shape.group_in(), shape.group_out()];
    let mut weight = vec![0.0; shape.weight_len()];
    let mut bias = (parameters == Parameters::WeightAndBias).then(|| vec![0.0; group_out]);
    for block in &layout.blocks {
        let line = layout.line(block);
        for lane in 0..block.channels {
            let [side, out] = [(block.first + lane) / group_out, (block.first + lane) % group_out];
            let to = WeightStrides::new(shape, Direction::Forward, 0, &Block { first: out, ..*block });
            for (index, sides) in taps.iter().enumerate() {
                let Some([y, x]) = sides[side] else { continue };
                for channel in 0..group_in {
                    let from = layout.start(0, block) + (index * group_in + channel) * line + lane;
                    weight[to.start + channel * to.summed + y * to.row + x] += sums[from];
                }
            }
            if let Some(bias) = &mut bias {
                bias[out] += sums[layout.values().len() + block.first + lane];
            }
        }
    }
    ConvGradients { weight, bias }
}
