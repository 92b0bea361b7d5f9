//! The geometry of a convolution (or of the gradient of its input): which window of the source it reads, where the taps of a
//! result lie in it, and where results go.
//!
//! A forward convolution is one pass. The input gradient is one pass for each phase of the stride:
//! input pixels whose position has the same remainder get gradients through the same taps, so each phase is a plain
//! convolution over the output gradient with stride 1, without inserted zeros and without im2col.

use super::shape::{ConvShape, Direction};
use super::window::Window;

/// One plain convolution over a window of the source.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    /// Kernel taps (row, column) in the order of summation, which ascends through the source.
    pub(crate) taps: Vec<[usize; 2]>,
    /// Where each tap reads, in window pixels from the first pixel that its result may read.
    pub(crate) tap_offsets: Vec<[usize; 2]>,
    /// Window of the source that the whole pass reads.
    pub(crate) window: Window,
    /// Window pixels between what neighbouring results read.
    pub(crate) step: [usize; 2],
    /// First result in the target image.
    pub(crate) first: [usize; 2],
    /// Target pixels between neighbouring results.
    pub(crate) target_step: [usize; 2],
    /// Results.
    pub(crate) count: [usize; 2],
}

/// A pass whose results are pairs of neighbours that share a register.
pub(crate) struct Pairs {
    /// Where it reads and writes; its `taps` are those of a single result.
    pub(crate) pass: Pass,
    /// For each of the pair's tap offsets the left and the right result's tap.
    pub(crate) taps: Vec<[Option<[usize; 2]>; 2]>,
}

/// One axis of a pass.
struct Axis {
    taps: Vec<(usize, usize)>,
    origin: isize,
    size: usize,
    step: usize,
    first: usize,
    target_step: usize,
    count: usize,
}

impl Pass {
    /// The passes of a convolution in one direction; some may have no taps (their results are zero).
    pub(crate) fn all(shape: &ConvShape, direction: Direction) -> Vec<Self> {
        match direction {
            Direction::Forward => vec![Self::join(&forward_axis(shape, 0), &forward_axis(shape, 1))],
            Direction::InputGradient => {
                let columns: Vec<Axis> = gradient_axes(shape, 1);
                let rows = gradient_axes(shape, 0);
                rows.iter().flat_map(|row| columns.iter().map(|column| Self::join(row, column))).collect()
            }
        }
    }

    /// Whether any result has a product.
    pub(crate) fn has_products(&self) -> bool {
        !self.taps.is_empty() && !self.count.contains(&0)
    }

    /// A pass from its two axes.
    fn join(rows: &Axis, columns: &Axis) -> Self {
        let mut taps = Vec::with_capacity(rows.taps.len() * columns.taps.len());
        let mut tap_offsets = Vec::with_capacity(taps.capacity());
        for &(y, offset_y) in &rows.taps {
            for &(x, offset_x) in &columns.taps {
                taps.push([y, x]);
                tap_offsets.push([offset_y, offset_x]);
            }
        }
        Self {
            taps,
            tap_offsets,
            window: Window { origin: [rows.origin, columns.origin], size: [rows.size, columns.size] },
            step: [rows.step, columns.step],
            first: [rows.first, columns.first],
            target_step: [rows.target_step, columns.target_step],
            count: [rows.count, columns.count],
        }
    }

    /// The same pass with two neighbouring results of a row as one result of twice the channels, for
    /// results so narrow that both fit a register; `None` if the row does not divide into such pairs.
    pub(crate) fn in_pairs(&self) -> Option<Pairs> {
        if self.target_step[1] != 1 || !self.count[1].is_multiple_of(2) || self.taps.is_empty() {
            return None;
        }
        let mut pairs = self.paired(1);
        pairs.pass.step[1] *= 2;
        pairs.pass.target_step[1] = 2;
        pairs.pass.count[1] /= 2;
        Some(pairs)
    }

    /// The same pass before 2x2 pooling, with the results of two neighbouring windows as one result of twice the
    /// channels; `None` if the row does not divide into such pairs. The walk over windows is the caller's.
    pub(crate) fn in_pairs_of_windows(&self) -> Option<Pairs> {
        (self.count[1] / 2).is_multiple_of(2).then(|| self.paired(2))
    }

    /// Each result paired with the one that is `distance` columns to its right.
    ///
    /// The right one's taps lie so many steps to the right of the left one's, so that each lacks a tap at a few of the pair's
    /// offsets.
    fn paired(&self, distance: usize) -> Pairs {
        let right = |[y, x]: [usize; 2]| [y, x + distance * self.step[1]];
        let mut tap_offsets: Vec<[usize; 2]> =
            self.tap_offsets.iter().flat_map(|&offset| [offset, right(offset)]).collect();
        tap_offsets.sort_unstable();
        tap_offsets.dedup();
        let tap_at = |wanted: [usize; 2], of: &dyn Fn([usize; 2]) -> [usize; 2]| {
            self.tap_offsets.iter().position(|offset| of(*offset) == wanted).map(|index| self.taps[index])
        };
        let taps = tap_offsets.iter().map(|&at| [tap_at(at, &|offset| offset), tap_at(at, &right)]).collect();
        Pairs { pass: Self { tap_offsets, ..self.clone() }, taps }
    }

    /// The results along an axis for which a tap reads a pixel of an image of this size, and not the zeros around it.
    pub(crate) fn results_of_tap(&self, tap: usize, axis: usize, size: usize) -> std::ops::Range<usize> {
        let at = self.window.origin[axis] + self.tap_offsets[tap][axis].cast_signed();
        let step = self.step[axis];
        let before = if at < 0 { at.unsigned_abs().div_ceil(step) } else { 0 };
        let end = size.saturating_add_signed(-at).div_ceil(step).min(self.count[axis]);
        before.min(end)..end
    }

    /// The part of the window that result rows `rows` read.
    pub(crate) fn band(&self, rows: std::ops::Range<usize>) -> Window {
        let last_tap = self.tap_offsets.last().map_or(0, |offset| offset[0]);
        let top = rows.start * self.step[0];
        let height = if rows.is_empty() { 0 } else { (rows.len() - 1) * self.step[0] + last_tap + 1 };
        Window {
            origin: [self.window.origin[0] + top.cast_signed(), self.window.origin[1]],
            size: [height, self.window.size[1]],
        }
    }

    /// Offsets of the runs of consecutive floats that a pixel sums over, and their common length,
    /// in a window with `pitch` floats a row and `channels` a pixel, of which `summed` are summed.
    pub(crate) fn runs(&self, pitch: usize, channels: usize, summed: usize) -> (Vec<usize>, usize) {
        let offsets = self.tap_offsets.iter().map(|[y, x]| y * pitch + x * channels);
        // Taps of one row that touch make one longer run, if all rows do so alike.
        let columns =
            self.tap_offsets.iter().take_while(|offset| offset[0] == self.tap_offsets[0][0]).count().max(1);
        let touching =
            self.tap_offsets.iter().take(columns).enumerate().all(|(index, offset)| offset[1] == index);
        if touching && channels == summed {
            (offsets.step_by(columns).collect(), columns * summed)
        } else {
            (offsets.collect(), summed)
        }
    }
}

/// Forward: result `i` reads input `i * stride - padding + tap * dilation`.
fn forward_axis(shape: &ConvShape, axis: usize) -> Axis {
    let taps = shape.kernel[axis];
    let count = shape.output()[axis];
    Axis {
        taps: (0..taps).map(|tap| (tap, tap * shape.dilation[axis])).collect(),
        origin: -shape.padding[axis].cast_signed(),
        size: (count - 1) * shape.stride[axis] + (taps - 1) * shape.dilation[axis] + 1,
        step: shape.stride[axis],
        first: 0,
        target_step: 1,
        count,
    }
}

/// Input gradient, one axis for each phase: input `i` with `(i + padding) % stride == phase` receives
/// from output `(i + padding - tap * dilation) / stride` for the taps where that divides.
fn gradient_axes(shape: &ConvShape, axis: usize) -> Vec<Axis> {
    let (stride, padding, dilation) = (shape.stride[axis], shape.padding[axis], shape.dilation[axis]);
    let phases = 0..stride.min(shape.input[axis]);
    phases
        .map(|first| {
            let position = first + padding;
            let phase = position % stride;
            // (tap, outputs to go back), farthest back first, so that the source ascends.
            let taps: Vec<(usize, usize)> = (0..shape.kernel[axis])
                .rev()
                .filter(|tap| tap * dilation % stride == phase)
                .map(|tap| (tap, (tap * dilation - phase) / stride))
                .collect();
            let farthest = taps.first().map_or(0, |(_, back)| *back);
            let nearest = taps.last().map_or(0, |(_, back)| *back);
            let count = (shape.input[axis] - first).div_ceil(stride);
            Axis {
                taps: taps.into_iter().map(|(tap, back)| (tap, farthest - back)).collect(),
                origin: (position / stride).cast_signed() - farthest.cast_signed(),
                size: count - 1 + farthest - nearest + 1,
                step: 1,
                first,
                target_step: stride,
                count,
            }
        })
        .collect()
}
