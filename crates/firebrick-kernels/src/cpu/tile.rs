//! The two register tiles in which nearly all arithmetic happens.
//!
//! Both keep `P` by `V` registers of sums and do one broadcast for `V` fused multiply-adds. The
//! lanes run along output channels, so a sum's order of additions never depends on the width of
//! the registers.

use macerator::Simd;

use super::simd::{F32s, add, lanes, load, mul_add, splat};

/// Sums of `P` pixels by `V` registers of output channels.
pub(crate) type Tile<S, const P: usize, const V: usize> = [[F32s<S>; V]; P];

/// Pixels of a tile for this register width: as many as leave no register spilled, fewer where a tile is so soon
/// done that its beginning and end weigh more. The number changes no sum.
pub(crate) const fn tile_pixels(lanes: usize, depth: usize) -> usize {
    match lanes {
        16 if depth >= DEEP => 12,
        8 => 6,
        _ => 8,
    }
}

/// Products of one sum from which on the widest registers are worth their larger tile.
const DEEP: usize = 512;

/// `sums[p][v] = first[v] + sum over runs r, j < run_len: pixel[p][runs[r] + j] * weights[(r * run_len + j), v]`.
///
/// # Safety
/// Every `pixels[p] + runs[r] + j` must be readable, and `weights` for
/// `runs.len() * run_len * V` registers; `first` for `V` registers.
#[inline(always)]
pub(crate) unsafe fn convolve<S: Simd, const P: usize, const V: usize>(
    pixels: [*const f32; P],
    runs: &[usize],
    run_len: usize,
    mut weights: *const f32,
    first: [F32s<S>; V],
) -> Tile<S, P, V> {
    let width = lanes::<S>();
    let mut sums = [first; P];
    for &run in runs {
        // SAFETY: the caller grants every address formed here.
        unsafe {
            let source = pixels.map(|pixel| pixel.add(run));
            for index in 0..run_len {
                let weight: [F32s<S>; V] = std::array::from_fn(|v| load::<S>(weights.add(v * width)));
                for (sum, pixel) in sums.iter_mut().zip(&source) {
                    let value = splat::<S>(*pixel.add(index));
                    for (sum, weight) in sum.iter_mut().zip(&weight) {
                        *sum = mul_add::<S>(value, *weight, *sum);
                    }
                }
                weights = weights.add(V * width);
            }
        }
    }
    sums
}

/// Where [`correlate`] walks: the same rectangle of pixels of several images, in two arrays.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    /// Images.
    pub(crate) images: usize,
    /// Floats from one image to the next in the broadcast array.
    pub(crate) value_image: usize,
    /// Floats from one image to the next in the vector array.
    pub(crate) vector_image: usize,
    /// Rows of pixels.
    pub(crate) rows: usize,
    /// Pixels in a row.
    pub(crate) columns: usize,
    /// Floats from one row to the next in the broadcast array.
    pub(crate) value_row: usize,
    /// Floats from one pixel to the next in the broadcast array.
    pub(crate) value_pixel: usize,
    /// Floats from one row to the next in the vector array.
    pub(crate) vector_row: usize,
    /// Floats from one pixel to the next in the vector array.
    pub(crate) vector_pixel: usize,
}

impl Walk {
    /// The same walk; over images of one pixel along a single row.
    pub(crate) fn straight(self) -> Self {
        if self.rows * self.columns != 1 {
            return self;
        }
        Self {
            images: 1,
            columns: self.images,
            value_pixel: self.value_image,
            vector_pixel: self.vector_image,
            ..self
        }
    }
}

/// `sums[p][v] = sum over the walk's pixels: values[p][pixel] * vectors[pixel, v]`.
///
/// # Safety
/// For every pixel of the walk, `values[p]` must be readable there, and `vectors` for `V` registers.
#[inline(always)]
pub(crate) unsafe fn correlate<S: Simd, const P: usize, const V: usize>(
    values: [*const f32; P],
    vectors: *const f32,
    walk: Walk,
) -> Tile<S, P, V> {
    let width = lanes::<S>();
    let mut sums = [[splat::<S>(0.0); V]; P];
    let (mut image, mut row) = (0, 0);
    for _ in 0..walk.images * walk.rows {
        // SAFETY: the caller grants every address formed here.
        unsafe {
            let start = image * walk.value_image + row * walk.value_row;
            let source = values.map(|value| value.add(start));
            let mut vector_at = vectors.add(image * walk.vector_image + row * walk.vector_row);
            let mut offset = 0;
            for _ in 0..walk.columns {
                let vector: [F32s<S>; V] = std::array::from_fn(|v| load::<S>(vector_at.add(v * width)));
                for (sum, value) in sums.iter_mut().zip(&source) {
                    let value = splat::<S>(*value.add(offset));
                    for (sum, vector) in sum.iter_mut().zip(&vector) {
                        *sum = mul_add::<S>(value, *vector, *sum);
                    }
                }
                offset += walk.value_pixel;
                vector_at = vector_at.add(walk.vector_pixel);
            }
        }
        row += 1;
        if row == walk.rows {
            (image, row) = (image + 1, 0);
        }
    }
    sums
}

/// `target[p * stride + v] += sums[p][v]` for the first `count` of the `P` rows.
///
/// # Safety
/// `target` must be readable and writable for `V` registers at each of the `count` rows.
#[inline(always)]
pub(crate) unsafe fn accumulate<S: Simd, const P: usize, const V: usize>(
    target: *mut f32,
    stride: usize,
    sums: &Tile<S, P, V>,
    count: usize,
) {
    let width = lanes::<S>();
    for (p, sums) in sums.iter().enumerate().take(count) {
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: the caller grants these registers.
            unsafe {
                let at = target.add(p * stride + v * width);
                super::simd::store::<S>(at, add::<S>(load::<S>(at), sum));
            }
        }
    }
}
