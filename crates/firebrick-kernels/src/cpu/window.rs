//! The part of an image that a kernel reads, with its zero border: either the image itself, when
//! nothing has to be added, or a copy in scratch memory.

use std::ops::Range;

/// A rectangle in the plane of an image, which may reach beyond it; outside the image it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// First row and column, in image coordinates.
    pub(crate) origin: [isize; 2],
    /// Rows and columns.
    pub(crate) size: [usize; 2],
}

impl Window {
    /// Whether the window lies within an image of `height` by `width`.
    pub(crate) fn is_inside(&self, image: [usize; 2]) -> bool {
        (0..2).all(|axis| {
            let origin = self.origin[axis];
            origin >= 0 && origin.unsigned_abs() + self.size[axis] <= image[axis]
        })
    }

    /// Floats of a copy with `channels` channels.
    pub(crate) fn len(&self, channels: usize) -> usize {
        self.size[0] * self.size[1] * channels
    }

    /// The image rows or columns that exist, as (first in the window, first in the image, count).
    fn overlap(&self, axis: usize, image: usize) -> (usize, usize, usize) {
        let origin = self.origin[axis];
        let before = if origin < 0 { origin.unsigned_abs().min(self.size[axis]) } else { 0 };
        let first = if origin < 0 { 0 } else { origin.unsigned_abs().min(image) };
        (before, first, (self.size[axis] - before).min(image - first))
    }

    /// How many of the window's rows or columns lie before an image of this size, and how many in it.
    pub(crate) fn within(&self, axis: usize, image: usize) -> [usize; 2] {
        let (before, _, count) = self.overlap(axis, image);
        [before, count]
    }

    /// Copy the window of an NHWC `image` to `target`, which has `len(channels)` floats.
    pub(crate) fn copy(&self, image: &[f32], image_size: [usize; 2], channels: usize, target: &mut [f32]) {
        let (top, first_row, rows) = self.overlap(0, image_size[0]);
        let (left, first_column, columns) = self.overlap(1, image_size[1]);
        let pitch = self.size[1] * channels;
        let image_pitch = image_size[1] * channels;
        target[..top * pitch].fill(0.0);
        target[(top + rows) * pitch..self.len(channels)].fill(0.0);
        for row in 0..rows {
            let line = &mut target[(top + row) * pitch..][..pitch];
            let (before, rest) = line.split_at_mut(left * channels);
            let (inside, after) = rest.split_at_mut(columns * channels);
            before.fill(0.0);
            let start = (first_row + row) * image_pitch + first_column * channels;
            inside.copy_from_slice(&image[start..][..columns * channels]);
            after.fill(0.0);
        }
    }

    /// As [`copy`](Self::copy), but only some channels, with `pixel` floats from one pixel of the copy to the next; what lies
    /// after a pixel's channels means nothing.
    pub(crate) fn copy_channels(
        &self,
        image: &[f32],
        image_size: [usize; 2],
        channels: usize,
        chosen: Range<usize>,
        pixel: usize,
        target: &mut [f32],
    ) {
        if pixel == channels {
            return self.copy(image, image_size, channels, target);
        }
        let (top, first_row, rows) = self.overlap(0, image_size[0]);
        let (left, first_column, columns) = self.overlap(1, image_size[1]);
        for (row, line) in target.chunks_exact_mut(self.size[1] * pixel).enumerate() {
            if row < top || row >= top + rows {
                line.fill(0.0);
                continue;
            }
            let (before, rest) = line.split_at_mut(left * pixel);
            let (inside, after) = rest.split_at_mut(columns * pixel);
            before.fill(0.0);
            after.fill(0.0);
            let pixels = ((first_row + row - top) * image_size[1] + first_column) * channels;
            let pixels = image[pixels..][..columns * channels].chunks_exact(channels);
            for (target, source) in inside.chunks_exact_mut(pixel).zip(pixels) {
                target[..chosen.len()].copy_from_slice(&source[chosen.clone()]);
            }
        }
    }

    /// Where the part of the window that exists lies in a copy and in the image.
    pub(crate) fn spans(&self, image_size: [usize; 2], channels: usize) -> Spans {
        let (top, first_row, rows) = self.overlap(0, image_size[0]);
        let (left, first_column, columns) = self.overlap(1, image_size[1]);
        let (target_pitch, image_pitch) = (self.size[1] * channels, image_size[1] * channels);
        Spans {
            rows,
            len: columns * channels,
            target: top * target_pitch + left * channels,
            target_pitch,
            image: first_row * image_pitch + first_column * channels,
            image_pitch,
        }
    }
}

/// Rows of floats that a copy and an image share.
pub(crate) struct Spans {
    /// Rows.
    pub(crate) rows: usize,
    /// Floats in a row.
    pub(crate) len: usize,
    /// First float of the copy.
    pub(crate) target: usize,
    /// Floats from one row of the copy to the next.
    pub(crate) target_pitch: usize,
    /// First float of the image.
    pub(crate) image: usize,
    /// Floats from one row of the image to the next.
    pub(crate) image_pitch: usize,
}

/// The pooled row or column and the parity of an image coordinate, if the pooled image has it.
pub(crate) fn halve(position: isize, pooled: usize) -> Option<(usize, usize)> {
    let position = usize::try_from(position).ok()?;
    (position / 2 < pooled).then_some((position / 2, position % 2))
}
