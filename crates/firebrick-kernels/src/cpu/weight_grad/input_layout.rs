//! How the input lies for a weight gradient's walks: where it is, or packed.

use std::ops::Range;

use macerator::Simd;

use super::job::{Job, PANEL_CHANNELS};
use crate::cpu::cache::{CACHE_LINE_FLOATS, SET_CONFLICT_FLOATS};
use crate::cpu::microkernel::{MAX_OVERREAD, MAX_TILE_ROWS, Walk};
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::copy_floats;
use crate::cpu::source::{Source, SourceImages};
use crate::cpu::window::Window;

/// Floats after packed images, so that a register (up to 16 lanes) may be read where fewer are left, and so may more pairs than
/// a run has.
pub(super) const OVERREAD_FLOATS: usize = 16;

const _: () = assert!(MAX_OVERREAD <= OVERREAD_FLOATS);

/// How the input lies: where it is, or packed, `[image][slice][row][column][channel of the slice]`. In floats.
pub(super) struct InputLayout {
    /// Whether it is packed.
    pub(super) is_packed: bool,
    /// From one image to the next.
    pub(super) image: usize,
    /// The part of an image that is read.
    window: Window,
    pub(super) slices: Vec<Slice>,
    /// Rows and columns of the window from one result to the next.
    step: [usize; 2],
    /// The phases of the stride, which are packed one after the other: a slice has one part for each remainder of a row by the
    /// first number, and in it one for each remainder of a column by the second.
    phases: [usize; 2],
}

/// Some channels, of each group, and where they lie in an image.
pub(super) struct Slice {
    pub(super) channels: Range<usize>,
    start: usize,
    /// From one phase to the next.
    phase: [usize; 2],
    /// From one row to the next.
    row: usize,
    /// From one pixel to the next.
    pixel: usize,
}

/// Where the values of one channel lie for all results.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ChannelStrides {
    /// For the first result, which may lie before the image.
    pub(super) offset: isize,
    /// From one row of results to the next.
    pub(super) row: usize,
    /// From one result to the next.
    pub(super) pixel: usize,
}

impl ChannelStrides {
    /// The same walk, over these values.
    pub(super) fn walk(&self, walk: Walk) -> Walk {
        Walk { value_row: self.row, value_pixel: self.pixel, ..walk }
    }
}

impl InputLayout {
    /// For an item that needs these channels (of a group).
    pub(super) fn new(job: &Job<'_>, chosen: &Range<usize>) -> Self {
        let step = job.pass.step;
        let window = if job.skips_border {
            Window { origin: [0, 0], size: job.input.size }
        } else {
            job.pass.band(0..job.pass.count[0])
        };
        let all = job.input.channels;
        let conflicts =
            |pixel: usize| job.avoids_set_conflicts && (step[1] * pixel).is_multiple_of(SET_CONFLICT_FLOATS);
        // A pixel's floats with padding where the pixels would otherwise conflict.
        let padded = |pixel: usize| pixel + if conflicts(pixel) { CACHE_LINE_FLOATS } else { 0 };
        // Runs of pairs are then multiples of 8, past the end of which nothing is read.
        let never_overreads = job.shape.group_in().is_multiple_of(MAX_OVERREAD + 1);
        let uniform = |is_packed: bool, channels: Range<usize>, pixel: usize, panel: usize| {
            let [row, len] = if is_packed {
                [window.size[1] * pixel, window.len(pixel)]
            } else {
                [job.input.size[1] * pixel, job.input.size[0] * job.input.size[1] * pixel]
            };
            let slice = |(index, first): (usize, usize)| Slice {
                channels: first..(first + panel).min(channels.end),
                start: index * len,
                phase: [0, 0],
                row,
                pixel,
            };
            let slices: Vec<Slice> = channels.clone().step_by(panel).enumerate().map(slice).collect();
            Self { is_packed, image: slices.len() * len, window, slices, step, phases: [1, 1] }
        };
        if window.is_inside(job.input.size) && !conflicts(all) && never_overreads {
            return uniform(false, 0..all, all, all);
        }
        if job.shape.groups > 1 {
            return uniform(true, 0..all, padded(all), all);
        }
        if !job.skips_border {
            let panel = chosen.len().min(PANEL_CHANNELS);
            return uniform(true, chosen.clone(), padded(panel), panel);
        }
        Self::in_tile_order(window, step, chosen)
    }

    /// Packed as a register tile reads it: its channels of a pixel, then those of the next result's.
    fn in_tile_order(window: Window, step: [usize; 2], chosen: &Range<usize>) -> Self {
        let size = [0, 1].map(|axis| window.size[axis].div_ceil(step[axis]));
        let mut slices = Vec::new();
        let (mut channel, mut image) = (chosen.start, 0);
        while channel < chosen.end {
            let left = (chosen.end - channel).min(PANEL_CHANNELS - (channel - chosen.start) % PANEL_CHANNELS);
            let pixel = if left == 32 { 16 } else { left.min(MAX_TILE_ROWS) };
            let row = size[1] * pixel;
            let phase = [step[1] * size[0] * row, size[0] * row];
            slices.push(Slice { channels: channel..channel + pixel, start: image, phase, row, pixel });
            image += step[0] * phase[0];
            channel += pixel;
        }
        Self { is_packed: true, image, window, slices, step, phases: step }
    }

    /// Where an image begins for the walks.
    pub(super) fn first(&self) -> usize {
        if self.is_packed {
            return 0;
        }
        let [y, x] = self.window.origin.map(isize::unsigned_abs);
        y * self.slices[0].row + x * self.slices[0].pixel
    }

    /// Where a channel (of its group) lies that the first result reads at `at` in the window.
    pub(super) fn channel(&self, slice: &Slice, channel: usize, at: [isize; 2]) -> ChannelStrides {
        let phases = self.phases.map(usize::cast_signed);
        let [y, x] = [0, 1].map(|axis| at[axis].div_euclid(phases[axis]));
        let phase = [0, 1].map(|axis| at[axis].rem_euclid(phases[axis]).unsigned_abs() * slice.phase[axis]);
        let start = slice.start + phase[0] + phase[1] + channel - slice.channels.start;
        let [row, pixel] = [slice.row, slice.pixel];
        ChannelStrides {
            offset: start.cast_signed() + y * row.cast_signed() + x * pixel.cast_signed(),
            row: row * (self.step[0] / self.phases[0]),
            pixel: pixel * (self.step[1] / self.phases[1]),
        }
    }

    /// Pack some images; inlined, for the caller's instruction set.
    #[inline(always)]
    pub(super) fn pack<S: Simd>(&self, source: &SourceImages<'_>, images: Range<usize>, target: &mut [f32]) {
        let image_len = source.size[0] * source.size[1] * source.channels;
        let Source::Plain(values) = source.values else {
            unreachable!("bug: the input of a weight gradient is not an array")
        };
        for (image, target) in images.zip(target.chunks_exact_mut(self.image)) {
            let values = &values[image * image_len..][..image_len];
            if self.slices[0].phase != [0, 0] {
                self.pack_phases::<S>(values, source.channels, target);
                continue;
            }
            let len = self.image / self.slices.len();
            for (slice, target) in self.slices.iter().zip(target.chunks_exact_mut(len)) {
                let channels = slice.channels.clone();
                self.window.copy_channels(
                    values,
                    source.size,
                    source.channels,
                    channels,
                    slice.pixel,
                    target,
                );
            }
        }
    }

    /// Pack an image of `channels` channels into slices with phases.
    #[inline(always)]
    fn pack_phases<S: Simd>(&self, values: &[f32], channels: usize, target: &mut [f32]) {
        let (columns, [by_row, by_column]) = (self.window.size[1], self.phases);
        for (row, values) in values.chunks_exact(columns * channels).enumerate() {
            for slice in &self.slices {
                let start = slice.start + row % by_row * slice.phase[0] + row / by_row * slice.row;
                for (column, values) in values.chunks_exact(channels).enumerate() {
                    let to = start + column % by_column * slice.phase[1] + column / by_column * slice.pixel;
                    let target = &mut target[to..][..slice.channels.len()];
                    copy_floats::<S>(&values[slice.channels.clone()], target);
                }
            }
        }
    }

    /// Memory for some packed images, none if they are read where they are.
    pub(super) fn take(&self, images: usize) -> Scratch {
        Scratch::take(if self.is_packed { images * self.image + OVERREAD_FLOATS } else { 0 })
    }
}
