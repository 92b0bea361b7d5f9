//! Max and average pooling, forward and backward, on NHWC arrays.
//!
//! Lanes run along channels and one image is one item of work, so results do not depend on the
//! number of threads or the width of the registers.

use macerator::{Simd, WithSimd};
use rayon::prelude::*;

use super::engine::Engine;
use super::scratch::{SharedOut, new_filled};
use super::shape::{ConvShape, ShapeError, WeightOrder, check_len};
use super::simd::{F32s, add, lanes, load_first, mul, splat, store_first};

/// Sizes and options of one pooling. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolShape {
    /// Images.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub stride: [usize; 2],
    /// Pixels added on both sides: zeros for the average, nothing for the maximum.
    pub padding: [usize; 2],
    /// Distance between the pixels of a window.
    pub dilation: [usize; 2],
}

/// Results of max pooling.
#[derive(Clone, Debug)]
pub struct MaxPooled {
    /// The largest value of every window, NHWC.
    pub values: Vec<f32>,
    /// Which pixel of the window it was (row by row), as a float.
    pub codes: Vec<f32>,
}

impl PoolShape {
    /// Check everything that the kernels rely on.
    ///
    /// # Errors
    /// As for a convolution; also padding of more than half the window, as in torch.
    pub fn validate(&self) -> Result<(), ShapeError> {
        for axis in 0..2 {
            if 2 * self.padding[axis].min(usize::MAX / 2) > self.kernel[axis] {
                return Err(ShapeError::PoolPadding {
                    padding: self.padding[axis],
                    kernel: self.kernel[axis],
                });
            }
        }
        self.as_convolution().validate()
    }

    /// A depthwise convolution that walks alike.
    fn as_convolution(&self) -> ConvShape {
        ConvShape {
            batch: self.batch,
            in_channels: self.channels,
            out_channels: self.channels,
            input: self.input,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
            extra_padding: [0, 0],
            dilation: self.dilation,
            groups: self.channels,
            order: WeightOrder::OutIn,
        }
    }

    /// Height and width of the output; meaningful for a shape that [`validate`](Self::validate) accepts.
    #[must_use]
    pub fn output(&self) -> [usize; 2] {
        self.as_convolution().output()
    }

    /// Values of one input image.
    fn input_image(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    /// Values of one output image.
    fn output_image(&self) -> usize {
        let output = self.output();
        output[0] * output[1] * self.channels
    }

    /// The input pixel (its index in the plane) under a tap of a window, if it exists.
    #[inline(always)]
    fn pixel(&self, window: [usize; 2], tap: [usize; 2]) -> Option<usize> {
        let y = (window[0] * self.stride[0] + tap[0] * self.dilation[0]).checked_sub(self.padding[0])?;
        let x = (window[1] * self.stride[1] + tap[1] * self.dilation[1]).checked_sub(self.padding[1])?;
        (y < self.input[0] && x < self.input[1]).then_some(y * self.input[1] + x)
    }

    /// What the sum of a window is multiplied by to give its average.
    #[inline(always)]
    fn share(&self, window: [usize; 2], count_padding: bool) -> f32 {
        let count = |axis: usize| {
            (0..self.kernel[axis])
                .filter(|tap| {
                    let at = window[axis] * self.stride[axis] + tap * self.dilation[axis];
                    count_padding || (at >= self.padding[axis] && at - self.padding[axis] < self.input[axis])
                })
                .count()
        };
        1.0 / (count(0) * count(1)).max(1) as f32
    }
}

/// What is done to the windows of one image.
#[derive(Clone, Copy)]
enum Work<'a> {
    /// Largest values and their codes.
    Max { input: &'a [f32], codes: SharedOut },
    /// Gradients go to the pixels that the codes name.
    MaxBackward { gradient: &'a [f32], codes: &'a [f32] },
    /// Averages.
    Average { input: &'a [f32], count_padding: bool },
    /// Gradients are shared among the pixels.
    AverageBackward { gradient: &'a [f32], count_padding: bool },
}

impl Engine {
    /// Max pooling.
    ///
    /// # Shapes
    /// `input` NHWC; the result NHWC of [`PoolShape::output`].
    ///
    /// # Errors
    /// A shape that [`PoolShape::validate`] refuses, or a slice whose length is not its shape's.
    pub fn max_pool(self, shape: &PoolShape, input: &[f32]) -> Result<MaxPooled, ShapeError> {
        shape.validate()?;
        check_len("the input", input.len(), shape.batch * shape.input_image())?;
        let len = shape.batch * shape.output_image();
        let mut codes = Vec::with_capacity(len);
        let work = Work::Max { input, codes: SharedOut::new(codes.as_mut_ptr()) };
        // SAFETY: every value and code is written: each window of each image has one.
        unsafe {
            let values = new_filled(len, |target| self.pool_images(shape, work, target));
            codes.set_len(len);
            Ok(MaxPooled { values, codes })
        }
    }

    /// The gradient of max pooling's input.
    ///
    /// # Errors
    /// As [`max_pool`](Self::max_pool).
    pub fn max_pool_gradient(
        self,
        shape: &PoolShape,
        gradient: &[f32],
        codes: &[f32],
    ) -> Result<Vec<f32>, ShapeError> {
        shape.validate()?;
        let expected = shape.batch * shape.output_image();
        check_len("the output's gradient", gradient.len(), expected)?;
        check_len("the codes", codes.len(), expected)?;
        // SAFETY: an image's gradient is zeroed before anything is added to it.
        Ok(unsafe {
            new_filled(shape.batch * shape.input_image(), |target| {
                self.pool_images(shape, Work::MaxBackward { gradient, codes }, target);
            })
        })
    }

    /// Average pooling; `count_padding` divides by the whole window also where it reaches into the padding.
    ///
    /// # Errors
    /// As [`max_pool`](Self::max_pool).
    pub fn average_pool(
        self,
        shape: &PoolShape,
        input: &[f32],
        count_padding: bool,
    ) -> Result<Vec<f32>, ShapeError> {
        shape.validate()?;
        check_len("the input", input.len(), shape.batch * shape.input_image())?;
        // SAFETY: every window of each image is written.
        Ok(unsafe {
            new_filled(shape.batch * shape.output_image(), |target| {
                self.pool_images(shape, Work::Average { input, count_padding }, target);
            })
        })
    }

    /// The gradient of average pooling's input.
    ///
    /// # Errors
    /// As [`max_pool`](Self::max_pool).
    pub fn average_pool_gradient(
        self,
        shape: &PoolShape,
        gradient: &[f32],
        count_padding: bool,
    ) -> Result<Vec<f32>, ShapeError> {
        shape.validate()?;
        check_len("the output's gradient", gradient.len(), shape.batch * shape.output_image())?;
        // SAFETY: an image's gradient is zeroed before anything is added to it.
        Ok(unsafe {
            new_filled(shape.batch * shape.input_image(), |target| {
                self.pool_images(shape, Work::AverageBackward { gradient, count_padding }, target);
            })
        })
    }

    /// Do `work` for every image.
    ///
    /// # Safety
    /// `target` must have room for every image of the result, and so must the codes.
    unsafe fn pool_images(self, shape: &PoolShape, work: Work<'_>, target: SharedOut) {
        (0..shape.batch).into_par_iter().for_each(|image| {
            self.isa.run(PoolImage { shape, work, target, image });
        });
    }
}

/// Taps of an average that are summed by themselves before they are added to the sum: one chain over an image of 56x56
/// pixels rounds so much that gradients of a gate were off by 1e-4.
const GROUP_TAPS: usize = 64;

/// One image's work.
struct PoolImage<'a> {
    shape: &'a PoolShape,
    work: Work<'a>,
    target: SharedOut,
    image: usize,
}

impl WithSimd for PoolImage<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let shape = self.shape;
        let [height, width] = shape.output();
        if matches!(self.work, Work::MaxBackward { .. } | Work::AverageBackward { .. }) {
            // SAFETY: the image's part of the target is this item's alone.
            unsafe {
                let start = self.target.get().add(self.image * shape.input_image());
                start.write_bytes(0, shape.input_image());
            }
        }
        for y in 0..height {
            for x in 0..width {
                let output = self.image * shape.output_image() + (y * width + x) * shape.channels;
                for channel in (0..shape.channels).step_by(lanes::<S>()) {
                    let count = lanes::<S>().min(shape.channels - channel);
                    // SAFETY: `output + channel` and the window's pixels lie in this image, and
                    // `count` channels exist from `channel` on.
                    unsafe { self.window::<S>([y, x], output + channel, channel, count) };
                }
            }
        }
    }
}

impl PoolImage<'_> {
    /// One window in one register of channels; `output` is where its result goes.
    ///
    /// # Safety
    /// `count` floats must exist at `output` and at the window's pixels from `channel` on.
    #[inline(always)]
    unsafe fn window<S: Simd>(&self, window: [usize; 2], output: usize, channel: usize, count: usize) {
        let shape = self.shape;
        let input = self.image * shape.input_image() + channel;
        let (mut total, mut sum) = (splat::<S>(0.0), splat::<S>(0.0));
        let mut best: Option<(F32s<S>, F32s<S>)> = None;
        // SAFETY: granted by the caller for each access below.
        unsafe {
            let output_gradient = match self.work {
                Work::MaxBackward { gradient, .. } => load_first::<S>(gradient.as_ptr().add(output), count),
                Work::AverageBackward { gradient, count_padding } => {
                    let share = splat::<S>(shape.share(window, count_padding));
                    mul::<S>(load_first::<S>(gradient.as_ptr().add(output), count), share)
                }
                _ => sum,
            };
            for tap in 0..shape.kernel[0] * shape.kernel[1] {
                if tap > 0 && tap.is_multiple_of(GROUP_TAPS) {
                    total = add::<S>(total, sum);
                    sum = splat::<S>(0.0);
                }
                let Some(pixel) = shape.pixel(window, [tap / shape.kernel[1], tap % shape.kernel[1]]) else {
                    continue;
                };
                let at = input + pixel * shape.channels;
                match self.work {
                    Work::Max { input, .. } => {
                        let value = load_first::<S>(input.as_ptr().add(at), count);
                        let code = splat::<S>(tap as f32);
                        best = Some(match best {
                            None => (value, code),
                            // The first of equals, the first NaN (as in torch); a mask is used up by a selection.
                            Some((largest, found)) => (
                                (value.le(largest) | largest.ne(largest)).select(largest, value),
                                (value.le(largest) | largest.ne(largest)).select(found, code),
                            ),
                        });
                    }
                    Work::Average { input, .. } => {
                        sum = add::<S>(sum, load_first::<S>(input.as_ptr().add(at), count));
                    }
                    Work::MaxBackward { codes, .. } => {
                        let found = load_first::<S>(codes.as_ptr().add(output), count);
                        let part = found.eq(splat::<S>(tap as f32)).select(output_gradient, splat::<S>(0.0));
                        self.add_to::<S>(at, part, count);
                    }
                    Work::AverageBackward { .. } => self.add_to::<S>(at, output_gradient, count),
                }
            }
            self.store::<S>(window, output, add::<S>(total, sum), best, count);
        }
    }

    /// Write the result of one window, where the work has one.
    ///
    /// # Safety
    /// `count` floats must exist at `output`.
    #[inline(always)]
    unsafe fn store<S: Simd>(
        &self,
        window: [usize; 2],
        output: usize,
        sum: F32s<S>,
        best: Option<(F32s<S>, F32s<S>)>,
        count: usize,
    ) {
        let target = self.target.get();
        // SAFETY: granted by the caller.
        unsafe {
            match (self.work, best) {
                (Work::Max { codes, .. }, Some((largest, code))) => {
                    store_first::<S>(target.add(output), largest, count);
                    store_first::<S>(codes.get().add(output), code, count);
                }
                // A dilated window may miss the image altogether.
                (Work::Max { codes, .. }, None) => {
                    store_first::<S>(target.add(output), splat::<S>(f32::NEG_INFINITY), count);
                    store_first::<S>(codes.get().add(output), splat::<S>(-1.0), count);
                }
                (Work::Average { count_padding, .. }, _) => {
                    let share = splat::<S>(self.shape.share(window, count_padding));
                    store_first::<S>(target.add(output), mul::<S>(sum, share), count);
                }
                (Work::MaxBackward { .. } | Work::AverageBackward { .. }, _) => {}
            }
        }
    }

    /// Add to `count` floats of the target.
    ///
    /// # Safety
    /// They must exist and belong to this image.
    #[inline(always)]
    unsafe fn add_to<S: Simd>(&self, at: usize, value: F32s<S>, count: usize) {
        // SAFETY: granted by the caller.
        unsafe {
            let target = self.target.get().add(at);
            store_first::<S>(target, add::<S>(load_first::<S>(target, count), value), count);
        }
    }
}
