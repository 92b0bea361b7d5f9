//! Images times a factor for each channel, for each image, or for each channel of each image, and something added: layer
//! scale, stochastic depth and gates. NHWC.
//!
//! An image is walked in chunks of pixels whose size depends on its shape alone, and the factors' gradients are added up in
//! their order, so results depend neither on the number of threads nor on the width of the registers.

use std::ops::Range;

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::engine::Engine;
use super::parallel::threads_for_floats;
use super::scratch::{SharedOut, new_filled};
use super::shape::{ShapeError, check_len};
use super::simd::{F32s, add, lanes, load_first, mul, mul_add, splat, store_first};

/// Floats of a chunk.
const CHUNK_FLOATS: usize = 1 << 14;

/// Registers of channels that are summed side by side.
const BLOCK_REGISTERS: usize = 4;

/// Images and their factors' shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleShape {
    /// Images.
    pub batch: usize,
    /// Pixels of an image.
    pub pixels: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// Whether each image has factors of its own.
    pub by_image: bool,
    /// Whether each channel has a factor of its own.
    pub by_channel: bool,
}

impl ScaleShape {
    /// How many factors there are.
    #[must_use]
    pub fn num_factors(&self) -> usize {
        let images = if self.by_image { self.batch } else { 1 };
        let channels = if self.by_channel { self.channels } else { 1 };
        images * channels
    }

    fn len(&self) -> usize {
        self.batch * self.pixels * self.channels
    }

    fn chunk_pixels(&self) -> usize {
        (CHUNK_FLOATS / self.channels).clamp(1, self.pixels)
    }

    fn chunks_of_image(&self) -> usize {
        self.pixels.div_ceil(self.chunk_pixels())
    }

    fn check(&self, values: &[f32], factors: &[f32]) -> Result<(), ShapeError> {
        for (what, size) in [("images", self.batch), ("pixels", self.pixels), ("channels", self.channels)] {
            if size == 0 {
                return Err(ShapeError::Zero { what });
            }
        }
        check_len("the input", values.len(), self.len())?;
        check_len("the factors", factors.len(), self.num_factors())
    }

    /// The floats of a chunk.
    fn floats(&self, chunk: usize) -> Range<usize> {
        let (image, part) = (chunk / self.chunks_of_image(), chunk % self.chunks_of_image());
        let pixel = |part: usize| image * self.pixels + (part * self.chunk_pixels()).min(self.pixels);
        pixel(part) * self.channels..pixel(part + 1) * self.channels
    }

    /// A factor for each channel of each image that has its own.
    fn spread(&self, factors: &[f32]) -> Vec<f32> {
        let repeats = if self.by_channel { 1 } else { self.channels };
        factors.iter().flat_map(|factor| std::iter::repeat_n(*factor, repeats)).collect()
    }

    /// Those of a chunk's image.
    fn of_chunk<'a>(&self, spread: &'a [f32], chunk: usize) -> &'a [f32] {
        let image = if self.by_image { chunk / self.chunks_of_image() } else { 0 };
        &spread[image * self.channels..][..self.channels]
    }
}

impl Engine {
    /// `input * factor + added`.
    ///
    /// # Shapes
    /// `input` and `added` NHWC, `factors` `[images, channels]`, of which either may be 1.
    ///
    /// # Errors
    /// A size of 0, or slices of other lengths than their shapes.
    pub fn scale(
        self,
        shape: &ScaleShape,
        input: &[f32],
        factors: &[f32],
        added: Option<&[f32]>,
    ) -> Result<Vec<f32>, ShapeError> {
        shape.check(input, factors)?;
        check_len("what is added", added.map_or(input.len(), <[f32]>::len), input.len())?;
        let spread = shape.spread(factors);
        let run = |target: SharedOut, chunk: usize| {
            let floats = shape.floats(chunk);
            let (input, added) = (&input[floats.clone()], added.map(|added| &added[floats.clone()]));
            // SAFETY: chunks are disjoint parts of the target, which is as long as the input.
            let target = SharedOut::new(unsafe { target.get().add(floats.start) });
            self.isa.run(ScaleChunk { input, added, factors: shape.of_chunk(&spread, chunk), target });
        };
        let chunks = shape.batch * shape.chunks_of_image();
        // SAFETY: the chunks cover all images, and each writes all of its own part.
        Ok(unsafe {
            new_filled(input.len(), |target| {
                if threads_for_floats(input.len()) == 1 {
                    (0..chunks).for_each(|chunk| run(target, chunk));
                } else {
                    (0..chunks).into_par_iter().for_each(|chunk| run(target, chunk));
                }
            })
        })
    }

    /// The gradient of the factors.
    ///
    /// # Shapes
    /// `gradient`, the results', and `input` NHWC; the result as the factors.
    ///
    /// # Errors
    /// As [`scale`](Self::scale).
    pub fn scale_gradient(
        self,
        shape: &ScaleShape,
        gradient: &[f32],
        input: &[f32],
    ) -> Result<Vec<f32>, ShapeError> {
        let mut found = vec![0.0f32; shape.num_factors()];
        shape.check(input, &found)?;
        check_len("the output's gradient", gradient.len(), input.len())?;
        let channels = shape.channels;
        let mut sums = vec![0.0f32; shape.batch * shape.chunks_of_image() * channels];
        sums.par_chunks_exact_mut(channels).enumerate().for_each(|(chunk, target)| {
            let floats = shape.floats(chunk);
            let (gradient, input) = (&gradient[floats.clone()], &input[floats]);
            self.isa.run(SumChunk { gradient, input, target });
        });
        let mut totals = vec![0.0f64; found.len()];
        for (chunk, sums) in sums.chunks_exact(channels).enumerate() {
            let image = if shape.by_image { chunk / shape.chunks_of_image() } else { 0 };
            if shape.by_channel {
                let totals = &mut totals[image * channels..][..channels];
                totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(*sum));
            } else {
                totals[image] += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
            }
        }
        found.iter_mut().zip(totals).for_each(|(found, total)| *found = total as f32);
        Ok(found)
    }
}

/// Whole pixels of one image; `target` has room for as many floats as the input has.
struct ScaleChunk<'a> {
    input: &'a [f32],
    added: Option<&'a [f32]>,
    factors: &'a [f32],
    target: SharedOut,
}

impl WithSimd for ScaleChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let channels = self.factors.len();
        for pixel in (0..self.input.len()).step_by(channels) {
            for channel in (0..channels).step_by(lanes::<S>()) {
                let (at, count) = (pixel + channel, lanes::<S>().min(channels - channel));
                // SAFETY: the pixel has `count` channels from `channel` on, in every array.
                unsafe {
                    let value = load_first::<S>(self.input.as_ptr().add(at), count);
                    let factor = load_first::<S>(self.factors.as_ptr().add(channel), count);
                    let value = match self.added {
                        Some(added) => {
                            let added = load_first::<S>(added.as_ptr().add(at), count);
                            add::<S>(mul::<S>(value, factor), added)
                        }
                        None => mul::<S>(value, factor),
                    };
                    store_first::<S>(self.target.get().add(at), value, count);
                }
            }
        }
    }
}

/// The sums of products over whole pixels of one image, `[channels]`.
struct SumChunk<'a> {
    gradient: &'a [f32],
    input: &'a [f32],
    target: &'a mut [f32],
}

impl WithSimd for SumChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self) {
        let (width, channels) = (lanes::<S>(), self.target.len());
        let mut channel = 0;
        while channel < channels {
            let left = channels - channel;
            if left >= BLOCK_REGISTERS * width {
                self.block::<S, BLOCK_REGISTERS>(channel, width);
                channel += BLOCK_REGISTERS * width;
            } else {
                self.block::<S, 1>(channel, left.min(width));
                channel += width;
            }
        }
    }
}

impl SumChunk<'_> {
    /// `V` registers of channels, of the last of which `count` exist.
    #[inline(always)]
    fn block<S: Simd, const V: usize>(&mut self, channel: usize, count: usize) {
        let channels = self.target.len();
        let mut sums: [F32s<S>; V] = [splat::<S>(0.0); V];
        for pixel in (0..self.input.len()).step_by(channels) {
            for (v, sum) in sums.iter_mut().enumerate() {
                let at = pixel + channel + v * lanes::<S>();
                // SAFETY: the pixel has `count` channels there, in both arrays.
                unsafe {
                    let gradient = load_first::<S>(self.gradient.as_ptr().add(at), count);
                    *sum = mul_add::<S>(gradient, load_first::<S>(self.input.as_ptr().add(at), count), *sum);
                }
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            let at = channel + v * lanes::<S>();
            // SAFETY: so many channels exist.
            unsafe { store_first::<S>(self.target.as_mut_ptr().add(at), sum, count) };
        }
    }
}
