//! Packing a convolution's weight for the microkernels, and unpacking its gradient.

use macerator::Simd;

use super::layout::{Block, MaxRegisters, PackedWeight, WeightStrides};
use super::lines::{LineGroup, PanelLines};
use super::transpose::{scatter, scatter_four};
use crate::cpu::parallel::{parallel_for, threads_for_floats};
use crate::cpu::scratch::new_filled;
use crate::cpu::shape::{ConvShape, Direction};
use crate::cpu::simd::lanes;

/// Pack a weight for `taps` (their order is the order of summation).
pub(crate) fn pack<S: Simd>(
    shape: &ConvShape,
    direction: Direction,
    taps: &[[usize; 2]],
    weight: &[f32],
    max_registers: MaxRegisters,
) -> PackedWeight {
    let [summed, produced] = direction.group_channels(shape);
    let mut packed =
        PackedWeight::new(shape.groups, produced, taps.len() * summed, lanes::<S>(), max_registers);
    let sizes = [packed.depth, packed.lanes];
    let values = &mut packed.values[..];
    let targets = parts(shape.groups, &packed.blocks, sizes, values, <[f32]>::split_at_mut);
    let lines = PanelLines::new(shape, direction, taps);
    let pack_one = |(group, block, target): (usize, Block, &mut [f32])| {
        let from = WeightStrides::new(shape, direction, group, &block);
        lines.pack_block(&from, weight, &block, target);
    };
    parallel_for(targets, threads_for_floats(shape.weight_len()), pack_one);
    packed
}

/// Undo [`pack`] for [`Direction::Forward`]: write the packed `values` (in the layout of `layout`) to a weight.
pub(crate) fn unpack(
    shape: &ConvShape,
    taps: &[[usize; 2]],
    layout: &PackedWeight,
    values: &[f32],
) -> Vec<f32> {
    let sizes = [layout.depth, layout.lanes];
    let sources = parts(shape.groups, &layout.blocks, sizes, values, <[f32]>::split_at);
    // SAFETY: every produced channel is in one block, and every tap of every summed channel is written.
    unsafe {
        new_filled(shape.weight_len(), |weight| {
            let lines = PanelLines::new(shape, Direction::Forward, taps);
            let unpack_block = |(group, block, packed): (usize, Block, &[f32])| {
                let to = WeightStrides::new(shape, Direction::Forward, group, &block);
                let row = layout.line(&block);
                lines.visit(|offset, line_group| {
                    let start = weight.get().add(to.start + offset);
                    match line_group {
                        LineGroup::Four(lines) => {
                            scatter_four(
                                packed,
                                lines.map(|line| line * row),
                                block.channels,
                                start,
                                to.produced,
                            );
                        }
                        LineGroup::One(line) => {
                            scatter(&packed[line * row..][..block.channels], to.produced, start)
                        }
                    }
                });
            };
            parallel_for(sources, threads_for_floats(shape.weight_len()), unpack_block);
        })
    }
}

/// Every (group, block) with its part of `values`, which are laid out as [`PackedWeight`]: `depth` lines of registers of
/// `lanes` for each block.
fn parts<T>(
    groups: usize,
    blocks: &[Block],
    [depth, lanes]: [usize; 2],
    values: T,
    mut split: impl FnMut(T, usize) -> (T, T),
) -> Vec<(usize, Block, T)> {
    let mut parts = Vec::with_capacity(groups * blocks.len());
    let mut rest = values;
    for group in 0..groups {
        for block in blocks {
            let (part, after) = split(rest, depth * block.registers * lanes);
            parts.push((group, *block, part));
            rest = after;
        }
    }
    parts
}
