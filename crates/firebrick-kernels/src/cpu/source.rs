//! Where a kernel's source comes from: an array, or a gradient on which ReLU's or pooling's backward pass is done while it is
//! copied, because a pass over memory of its own would cost more.

use macerator::{Simd, WithSimd};

use super::activation::relu_gradient;
use super::engine::Engine;
use super::parallel::{parallel_for, threads_for_floats};
use super::scratch::Scratch;
use super::simd::{F32s, each, lanes, load, load_first, load_from, splat, store, store_first, store_from};
use super::window::{Window, halve};

/// Where the values of the source come from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// An NHWC array.
    Plain(&'a [f32]),
    /// A gradient after ReLU: values that count where the second array, ReLU's results, is positive.
    AfterRelu(&'a [f32], &'a [f32]),
    /// A gradient after 2x2 max pooling: values, and codes that say which of the four pixels each
    /// belongs to, both NHWC of the pooled size.
    Pooled(&'a [f32], &'a [f32]),
}

/// A source with its sizes.
#[derive(Clone, Copy)]
pub(crate) struct SourceImages<'a> {
    pub(crate) values: Source<'a>,
    /// Height and width (of the pooled image for [`Source::Pooled`]).
    pub(crate) size: [usize; 2],
    pub(crate) channels: usize,
}

impl SourceImages<'_> {
    /// Copy one image's window to `target`, which has `window.len(channels)` floats.
    #[inline(always)]
    pub(crate) fn copy<S: Simd>(&self, image: usize, window: &Window, target: &mut [f32]) {
        let len = self.size[0] * self.size[1] * self.channels;
        let image = image * len..(image + 1) * len;
        match self.values {
            Source::Plain(values) => window.copy(&values[image], self.size, self.channels, target),
            Source::AfterRelu(values, results) => {
                self.after_relu::<S>(&values[image.clone()], &results[image], window, target);
            }
            Source::Pooled(values, codes) => {
                self.unpool::<S>(&values[image.clone()], &codes[image], window, target);
            }
        }
    }

    /// Copy a window of a gradient after ReLU.
    #[inline(always)]
    fn after_relu<S: Simd>(&self, values: &[f32], results: &[f32], window: &Window, target: &mut [f32]) {
        window.copy(values, self.size, self.channels, target);
        let spans = window.spans(self.size, self.channels);
        for row in 0..spans.rows {
            let target = &mut target[spans.target + row * spans.target_pitch..][..spans.len];
            let results = &results[spans.image + row * spans.image_pitch..][..spans.len];
            for start in (0..spans.len).step_by(lanes::<S>()) {
                let count = lanes::<S>().min(spans.len - start);
                // SAFETY: both rows have `count` floats from `start` on.
                unsafe {
                    let result = load_first::<S>(results.as_ptr().add(start), count);
                    let value = load_first::<S>(target.as_ptr().add(start), count);
                    store_first::<S>(
                        target.as_mut_ptr().add(start),
                        relu_gradient::<S>(value, result),
                        count,
                    );
                }
            }
        }
    }

    /// Copy a window of a gradient after 2x2 max pooling to the size before the pooling.
    ///
    /// Pixels are written in ascending order with whole registers: what a register writes beyond its
    /// pixel is written again by the next one.
    #[inline(always)]
    fn unpool<S: Simd>(&self, pooled: &[f32], codes: &[f32], window: &Window, target: &mut [f32]) {
        let channels = self.channels;
        // Columns of the window before, within and after the pooled image.
        let [left, columns] = window.within(1, 2 * self.size[1]);
        let first_column = (window.origin[1] + left.cast_signed()).unsigned_abs();
        for row in 0..window.size[0] {
            let start = row * window.size[1] * channels;
            let Some((pooled_row, odd_row)) = halve(window.origin[0] + row.cast_signed(), self.size[0])
            else {
                target[start..][..window.size[1] * channels].fill(0.0);
                continue;
            };
            target[start..][..left * channels].fill(0.0);
            let line = pooled_row * self.size[1] * channels;
            let mut column = 0;
            while column < columns {
                // Both pixels of a pooled one, where the window does not part them.
                let position = first_column + column;
                let from = line + position / 2 * channels;
                let [pooled, codes] = [pooled, codes].map(|values| &values[from..]);
                let target = &mut target[start + (left + column) * channels..];
                let code = 2 * odd_row + position % 2;
                if position % 2 == 1 || column + 1 == columns {
                    unpool_pixels::<S, 1>(pooled, codes, code, channels, target);
                    column += 1;
                } else {
                    unpool_pixels::<S, 2>(pooled, codes, code, channels, target);
                    column += 2;
                }
            }
            let after = (left + columns) * channels..window.size[1] * channels;
            target[start..][after].fill(0.0);
        }
    }
}

/// The gradients of `N` neighbouring pixels of a pooled one, the first of which has `code`.
#[inline(always)]
fn unpool_pixels<S: Simd, const N: usize>(
    pooled: &[f32],
    codes: &[f32],
    code: usize,
    channels: usize,
    target: &mut [f32],
) {
    let zero = splat::<S>(0.0);
    let wanted: [F32s<S>; N] = each(|pixel| splat::<S>((code + pixel) as f32));
    if channels.is_multiple_of(lanes::<S>()) {
        let (pooled, codes) = (&pooled[..channels], &codes[..channels]);
        let target = &mut target[..N * channels];
        for channel in (0..channels).step_by(lanes::<S>()) {
            // SAFETY: whole registers of channels that were checked above.
            unsafe {
                let value = load::<S>(pooled.as_ptr().add(channel));
                let found = load::<S>(codes.as_ptr().add(channel));
                for (pixel, wanted) in wanted.iter().enumerate() {
                    let value = found.eq(*wanted).select(value, zero);
                    store::<S>(target.as_mut_ptr().add(pixel * channels + channel), value);
                }
            }
        }
        return;
    }
    for (pixel, wanted) in wanted.iter().enumerate() {
        for channel in (0..channels).step_by(lanes::<S>()) {
            let value = load_from::<S>(pooled, channel);
            let found = load_from::<S>(codes, channel);
            store_from::<S>(target, pixel * channels + channel, found.eq(*wanted).select(value, zero));
        }
    }
}

/// The images of a source, one pixel each, as an array.
pub(crate) fn plain_rows(engine: Engine, source: SourceImages<'_>, rows: usize) -> Scratch {
    let mut copy = Scratch::take(rows * source.channels);
    let threads = threads_for_floats(copy.len());
    let chunk = rows.div_ceil(threads);
    let chunks = copy.chunks_mut(chunk * source.channels).enumerate().collect();
    parallel_for(chunks, threads, |(index, target)| {
        engine.isa.run(CopyRows { source, first: index * chunk, target });
    });
    copy
}

/// Write images of one pixel, from `first` on, as many as the target has room for.
pub(crate) struct CopyRows<'a> {
    pub(crate) source: SourceImages<'a>,
    pub(crate) first: usize,
    pub(crate) target: &'a mut [f32],
}

impl WithSimd for CopyRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let pixel = Window { origin: [0, 0], size: [1, 1] };
        for (row, target) in self.target.chunks_exact_mut(self.source.channels).enumerate() {
            self.source.copy::<S>(self.first + row, &pixel, target);
        }
    }
}
