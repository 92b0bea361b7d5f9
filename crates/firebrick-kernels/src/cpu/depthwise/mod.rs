//! Depthwise convolution, forward and both gradients: every channel has a filter of its own, so the lanes run along the
//! channels of a pixel, and what is multiplied is read once and where it lies, without a border.

mod convolution;
mod weight_grad;

use std::ops::Range;

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
    /// Some channels in blocks of several registers, of one, and what is left.
    fn blocks(channels: &Range<usize>, lanes: usize) -> Vec<Self> {
        // Taps and results share the registers with them.
        let widest = if lanes == 8 { 2 } else { 4 };
        let mut blocks = Vec::new();
        let mut first = channels.start;
        while first < channels.end {
            let left = channels.end - first;
            let count = if left >= widest * lanes { widest * lanes } else { left.min(lanes) };
            blocks.push(Self { first, count });
            first += count;
        }
        blocks
    }
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

/// The results of a pass along an axis, range after range, and which of its taps they see in an image of this size.
fn by_taps(pass: &Pass, axis: usize, size: usize) -> Vec<(Range<usize>, Vec<bool>)> {
    let seen: Vec<Range<usize>> = (0..pass.taps.len()).map(|tap| pass.sees(tap, axis, size)).collect();
    let mut found: Vec<(Range<usize>, Vec<bool>)> = Vec::new();
    for result in 0..pass.count[axis] {
        let sees: Vec<bool> = seen.iter().map(|results| results.contains(&result)).collect();
        match found.last_mut() {
            Some((results, taps)) if *taps == sees => results.end += 1,
            _ => found.push((result..result + 1, sees)),
        }
    }
    found
}
