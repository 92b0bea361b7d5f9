//! The channels of a depthwise convolution: how they are cut into registers, and which taps lie inside the image.

use std::ops::Range;

use macerator::Simd;

use crate::cpu::pass::Pass;
use crate::cpu::shape::ConvShape;
use crate::cpu::simd::{F32s, lanes, load, load_first};

/// Whether each channel of the input is convolved to one of the output by itself.
pub(in crate::cpu) fn applies(shape: &ConvShape) -> bool {
    shape.groups > 1 && shape.in_channels == shape.groups && shape.out_channels == shape.groups
}

/// Some channels of a pixel: `V` registers, or less than one.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    pub(super) first: usize,
    pub(super) count: usize,
}

impl Channels {
    /// Some channels in blocks of several registers, of one, and what is left.
    pub(super) fn blocks(channels: &Range<usize>, lanes: usize) -> Vec<Self> {
        // Taps and results need registers, too.
        let most = if lanes == 8 { 2 } else { 4 };
        let mut blocks = Vec::new();
        let mut first = channels.start;
        while first < channels.end {
            let left = channels.end - first;
            let count = if left >= most * lanes { most * lanes } else { left.min(lanes) };
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
pub(super) unsafe fn read<S: Simd, const WHOLE: bool>(source: *const f32, count: usize) -> F32s<S> {
    // SAFETY: granted by the caller.
    unsafe { if WHOLE { load::<S>(source) } else { load_first::<S>(source, count.min(lanes::<S>())) } }
}

/// The results of a pass along an axis, range after range, and which of its taps lie inside an image of this size for them.
pub(super) fn by_taps(pass: &Pass, axis: usize, size: usize) -> Vec<(Range<usize>, Vec<bool>)> {
    let results_of_taps: Vec<Range<usize>> =
        (0..pass.taps.len()).map(|tap| pass.results_of_tap(tap, axis, size)).collect();
    let mut found: Vec<(Range<usize>, Vec<bool>)> = Vec::new();
    for result in 0..pass.count[axis] {
        let is_inside: Vec<bool> = results_of_taps.iter().map(|results| results.contains(&result)).collect();
        match found.last_mut() {
            Some((results, taps)) if *taps == is_inside => results.end += 1,
            _ => found.push((result..result + 1, is_inside)),
        }
    }
    found
}
