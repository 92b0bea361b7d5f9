//! Depthwise convolution, forward and both gradients: every channel has a filter of its own, so the lanes run along the
//! channels of a pixel, and what is multiplied is read once and where it lies, without a border.

mod convolution;
mod weight_grad;

use macerator::Simd;

pub(super) use self::convolution::run;
pub(super) use self::weight_grad::run as run_weight_gradient;
use super::pass::Pass;
use super::shape::ConvShape;
use super::simd::{F32s, lanes, load, load_first};

/// Whether each channel of the input is convolved to one of the output by itself.
pub(super) fn applies(shape: &ConvShape) -> bool {
    shape.groups > 1 && shape.in_channels == shape.groups && shape.out_channels == shape.groups
}

/// Some channels of a pixel: `V` registers, or less than one.
#[derive(Clone, Copy)]
struct Channels {
    first: usize,
    count: usize,
}

impl Channels {
    /// `channels` from `from` on, in blocks of `widest` registers, single ones, and what is left.
    fn blocks(from: usize, channels: usize, lanes: usize, widest: usize) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut first = from;
        while first < channels {
            let left = channels - first;
            let count = if left >= widest * lanes { widest * lanes } else { left.min(lanes) };
            blocks.push(Self { first, count });
            first += count;
        }
        blocks
    }
}

/// Registers of a block of channels: with fewer registers in all, fewer.
const fn widest_block(lanes: usize) -> usize {
    if lanes == 8 { 2 } else { 4 }
}

/// A register's floats, or the first `count` of them.
///
/// # Safety
/// So many must be readable.
#[inline(always)]
unsafe fn read<S: Simd, const WHOLE: bool>(source: *const f32, count: usize) -> F32s<S> {
    // SAFETY: granted by the caller.
    unsafe { if WHOLE { load::<S>(source) } else { load_first::<S>(source, count.min(lanes::<S>())) } }
}

/// For every result of a pass along an axis the rows or columns that its taps reach, told apart by which of them lie in an
/// image of this size: results that see the same taps, one range after the other, and those taps by their place in the pass.
fn by_taps(pass: &Pass, axis: usize, size: usize) -> Vec<(std::ops::Range<usize>, Vec<bool>)> {
    let mut found: Vec<(std::ops::Range<usize>, Vec<bool>)> = Vec::new();
    for result in 0..pass.count[axis] {
        let corner = pass.window.origin[axis] + (result * pass.step[axis]).cast_signed();
        let is_inside = |reach: &[usize; 2]| {
            let at = corner + reach[axis].cast_signed();
            at >= 0 && at.cast_unsigned() < size
        };
        let sees: Vec<bool> = pass.reach.iter().map(is_inside).collect();
        match found.last_mut() {
            Some((results, taps)) if *taps == sees => results.end += 1,
            _ => found.push((result..result + 1, sees)),
        }
    }
    found
}
