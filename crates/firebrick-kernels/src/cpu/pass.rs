//! How a convolution (or the gradient of its input) is walked: which window of the source is read,
//! where the taps of a pixel lie in it, and where results go.
//!
//! A forward convolution is one pass. The input gradient is one pass for each phase of the stride:
//! input pixels whose position has the same remainder see the same taps, so each phase is a plain
//! convolution over the output gradient with stride 1, without inserted zeros and without im2col.

use super::pack::Direction;
use super::shape::ConvShape;
use super::window::Window;

/// One plain convolution over a window of the source.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    /// Kernel taps (row, column) in the order of summation, which ascends through the source.
    pub(crate) taps: Vec<[usize; 2]>,
    /// Where each tap reads, in window pixels from the pixel's own corner.
    pub(crate) reach: Vec<[usize; 2]>,
    /// Window of the source that the whole pass reads.
    pub(crate) window: Window,
    /// Window pixels between neighbouring results.
    pub(crate) step: [usize; 2],
    /// First result in the target image.
    pub(crate) first: [usize; 2],
    /// Target pixels between neighbouring results.
    pub(crate) spread: [usize; 2],
    /// Results.
    pub(crate) count: [usize; 2],
}

/// A pass whose results are pairs.
pub(crate) struct Pairs {
    /// Where it reads and writes; its `taps` are those of a single result.
    pub(crate) pass: Pass,
    /// For each place of the common reach the left and the right result's tap.
    pub(crate) taps: Vec<[Option<[usize; 2]>; 2]>,
}

/// One axis of a pass.
struct Axis {
    taps: Vec<(usize, usize)>,
    origin: isize,
    size: usize,
    step: usize,
    first: usize,
    spread: usize,
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

    /// Whether there is anything to add up.
    pub(crate) fn has_products(&self) -> bool {
        !self.taps.is_empty() && !self.count.contains(&0)
    }

    /// A pass from its two axes.
    fn join(rows: &Axis, columns: &Axis) -> Self {
        let mut taps = Vec::with_capacity(rows.taps.len() * columns.taps.len());
        let mut reach = Vec::with_capacity(taps.capacity());
        for &(y, reach_y) in &rows.taps {
            for &(x, reach_x) in &columns.taps {
                taps.push([y, x]);
                reach.push([reach_y, reach_x]);
            }
        }
        Self {
            taps,
            reach,
            window: Window { origin: [rows.origin, columns.origin], size: [rows.size, columns.size] },
            step: [rows.step, columns.step],
            first: [rows.first, columns.first],
            spread: [rows.spread, columns.spread],
            count: [rows.count, columns.count],
        }
    }

    /// The same pass with two neighbouring results of a row as one result of twice the channels, for
    /// results so narrow that both fit a register; `None` if the row does not divide into such pairs.
    pub(crate) fn in_pairs(&self) -> Option<Pairs> {
        if self.spread[1] != 1 || !self.count[1].is_multiple_of(2) || self.taps.is_empty() {
            return None;
        }
        let mut pairs = self.beside(1);
        pairs.pass.step[1] *= 2;
        pairs.pass.spread[1] = 2;
        pairs.pass.count[1] /= 2;
        Some(pairs)
    }

    /// The same pass before 2x2 pooling, with the results of two neighbouring windows as one result of twice the
    /// channels; `None` if the row does not divide into such pairs. The walk over windows is the caller's.
    pub(crate) fn in_pairs_of_windows(&self) -> Option<Pairs> {
        (self.count[1] / 2).is_multiple_of(2).then(|| self.beside(2))
    }

    /// Each result together with the one that is `distance` columns to its right.
    ///
    /// The right one's taps lie so many steps beyond the left one's, so that each has a few places in the
    /// common reach where it has no tap.
    fn beside(&self, distance: usize) -> Pairs {
        let right = |[y, x]: [usize; 2]| [y, x + distance * self.step[1]];
        let mut reach: Vec<[usize; 2]> = self.reach.iter().flat_map(|&reach| [reach, right(reach)]).collect();
        reach.sort_unstable();
        reach.dedup();
        let tap_at = |wanted: [usize; 2], of: &dyn Fn([usize; 2]) -> [usize; 2]| {
            self.reach.iter().position(|reach| of(*reach) == wanted).map(|index| self.taps[index])
        };
        let taps = reach.iter().map(|&at| [tap_at(at, &|reach| reach), tap_at(at, &right)]).collect();
        Pairs { pass: Self { reach, ..self.clone() }, taps }
    }

    /// The results along an axis for which a tap lies in an image of this size.
    pub(crate) fn sees(&self, tap: usize, axis: usize, size: usize) -> std::ops::Range<usize> {
        let at = self.window.origin[axis] + self.reach[tap][axis].cast_signed();
        let step = self.step[axis];
        let before = if at < 0 { at.unsigned_abs().div_ceil(step) } else { 0 };
        let end = size.saturating_add_signed(-at).div_ceil(step).min(self.count[axis]);
        before.min(end)..end
    }

    /// The part of the window that result rows `rows` read.
    pub(crate) fn band(&self, rows: std::ops::Range<usize>) -> Window {
        let last_tap = self.reach.last().map_or(0, |reach| reach[0]);
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
        let offsets = self.reach.iter().map(|[y, x]| y * pitch + x * channels);
        // Taps of one row that touch make one longer run, if all rows do so alike.
        let columns = self.reach.iter().take_while(|reach| reach[0] == self.reach[0][0]).count().max(1);
        let touching = self.reach.iter().take(columns).enumerate().all(|(index, reach)| reach[1] == index);
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
        spread: 1,
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
                spread: stride,
                count,
            }
        })
        .collect()
}
