//! The part of an image that a kernel reads, with its zero border: either the image itself, when
//! nothing has to be added, or a copy in scratch memory.

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

    /// Copy the window of a gradient that is known after 2x2 max pooling: `pooled` holds one value
    /// for each 2x2 block and `codes` which of the four pixels it belongs to (any other code: none).
    pub(crate) fn unpool(
        &self,
        pooled: &[f32],
        codes: &[f32],
        pooled_size: [usize; 2],
        channels: usize,
        target: &mut [f32],
    ) {
        let pitch = self.size[1] * channels;
        for row in 0..self.size[0] {
            let line = &mut target[row * pitch..][..pitch];
            let Some((pooled_row, odd_row)) = halve(self.origin[0] + row.cast_signed(), pooled_size[0]) else {
                line.fill(0.0);
                continue;
            };
            for (column, pixel) in line.chunks_exact_mut(channels).enumerate() {
                match halve(self.origin[1] + column.cast_signed(), pooled_size[1]) {
                    None => pixel.fill(0.0),
                    Some((pooled_column, odd_column)) => {
                        let at = (pooled_row * pooled_size[1] + pooled_column) * channels;
                        let code = (2 * odd_row + odd_column) as f32;
                        let values = pooled[at..][..channels].iter().zip(&codes[at..][..channels]);
                        for (target, (&value, &found)) in pixel.iter_mut().zip(values) {
                            *target = if found == code { value } else { 0.0 };
                        }
                    }
                }
            }
        }
    }
}

/// The pooled row or column and the parity of an image coordinate, if the pooled image has it.
fn halve(position: isize, pooled: usize) -> Option<(usize, usize)> {
    let position = usize::try_from(position).ok()?;
    (position / 2 < pooled).then_some((position / 2, position % 2))
}
