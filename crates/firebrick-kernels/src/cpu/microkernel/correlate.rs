//! The microkernels of weight gradients: a sum over pixels of one input value times a vector of output gradients, which is
//! a correlation of two images, or a sum of outer products.

use macerator::Simd;

use super::register_tile::RegisterTile;
use crate::cpu::broadcast::Broadcast;
use crate::cpu::simd::{F32s, add, each, lanes, load, mul_add, splat, store};

/// Where a correlation walks: the same rectangle of pixels of several images, in two arrays.
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
    /// The same walk; images of one pixel each become a single row of pixels.
    pub(crate) fn flattened(self) -> Self {
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

/// `sums[p][v] = sum over the walk's pixels: values[p + pixel] * vectors[pixel, v]`.
///
/// # Safety
/// For every pixel of the walk, `values` must be readable there for `P` floats, and `vectors` for `V` registers.
#[inline(always)]
unsafe fn correlate<S: Simd, const P: usize, const V: usize>(
    values: *const f32,
    vectors: *const f32,
    walk: Walk,
) -> RegisterTile<S, P, V> {
    let width = lanes::<S>();
    let mut sums = [[splat::<S>(0.0); V]; P];
    let (mut image, mut row) = (0, 0);
    for _ in 0..walk.images * walk.rows {
        // SAFETY: the caller grants every address formed here.
        unsafe {
            let mut values = values.add(image * walk.value_image + row * walk.value_row);
            let mut vectors = vectors.add(image * walk.vector_image + row * walk.vector_row);
            for _ in 0..walk.columns {
                let vector: [F32s<S>; V] = each(|v| load::<S>(vectors.add(v * width)));
                for (p, sum) in sums.iter_mut().enumerate() {
                    let value = splat::<S>(*values.add(p));
                    for (sum, vector) in sum.iter_mut().zip(&vector) {
                        *sum = mul_add::<S>(value, *vector, *sum);
                    }
                }
                values = values.wrapping_add(walk.value_pixel);
                vectors = vectors.wrapping_add(walk.vector_pixel);
            }
        }
        row += 1;
        if row == walk.rows {
            (image, row) = (image + 1, 0);
        }
    }
    sums
}

/// `target[i * line + v] (+)= sum over the walk's pixels: values[offsets[i] + pixel] * vectors[pixel, v]`, for values that do
/// not lie side by side; the sums of one value lie `line` floats from those of the next.
///
/// # Safety
/// As for [`correlate_contiguous`], with `values` readable at every offset.
#[inline(always)]
pub(crate) unsafe fn correlate_gathered<S: Simd, const P: usize, const V: usize>(
    values: *const f32,
    offsets: &[usize],
    vectors: *const f32,
    walk: Walk,
    target: *mut f32,
    line: usize,
    accumulate: Accumulate,
) {
    let width = lanes::<S>();
    for (index, offsets) in offsets.chunks(P).enumerate() {
        let last = offsets.len() - 1;
        let mut sums = [[splat::<S>(0.0); V]; P];
        // SAFETY: granted by the caller; a tile that is not full repeats its last value.
        unsafe {
            let starts: [*const f32; P] = each(|p| values.add(offsets[p.min(last)]));
            for pixel in 0..walk.images * walk.rows {
                let (image, row) = (pixel / walk.rows, pixel % walk.rows);
                let start = image * walk.value_image + row * walk.value_row;
                let mut vectors = vectors.add(image * walk.vector_image + row * walk.vector_row);
                for column in 0..walk.columns {
                    let vector: [F32s<S>; V] = each(|v| load::<S>(vectors.add(v * width)));
                    for (sum, value) in sums.iter_mut().zip(&starts) {
                        let value = splat::<S>(*value.add(start + column * walk.value_pixel));
                        for (sum, vector) in sum.iter_mut().zip(&vector) {
                            *sum = mul_add::<S>(value, *vector, *sum);
                        }
                    }
                    vectors = vectors.wrapping_add(walk.vector_pixel);
                }
            }
            store_sums::<S, P, V>(target.add(index * P * line), line, &sums, offsets.len(), accumulate);
        }
    }
}

/// Write the first `count` rows of a tile, `line` floats apart, or add them to what is there.
///
/// # Safety
/// `target` must be writable (and hold sums, if they are added to) there.
#[inline(always)]
unsafe fn store_sums<S: Simd, const P: usize, const T: usize>(
    target: *mut f32,
    line: usize,
    sums: &RegisterTile<S, P, T>,
    count: usize,
    accumulate: Accumulate,
) {
    for (p, sums) in sums.iter().enumerate().take(count) {
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: granted by the caller.
            unsafe {
                let at = target.add(p * line + v * lanes::<S>());
                let sum = match accumulate {
                    Accumulate::Overwrite => sum,
                    Accumulate::Add => add::<S>(load::<S>(at), sum),
                };
                store::<S>(at, sum);
            }
        }
    }
}

/// What happens to sums that were stored earlier (BLAS's beta).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accumulate {
    /// There are none: whatever lies there is overwritten (beta = 0).
    Overwrite,
    /// They are added to (beta = 1).
    Add,
}

/// Rows of the largest tile of [`correlate_contiguous`].
pub(crate) const MAX_TILE_ROWS: usize = 24;

/// Floats that [`correlate_contiguous`] may read past the end of a run, unless the run's length is a multiple of 8.
pub(crate) const MAX_OVERREAD: usize = 7;

/// `target[i * line + v] (+)= sum over the walk's pixels: values[i + pixel] * vectors[pixel, v]` for `i < run`, with
/// `line` floats from one to the next.
///
/// With embedded broadcasts ([`Broadcast::Embedded`]) AVX-512's tiles are one register wide and have as many rows as there
/// are registers: fewer instructions, and half the reads of vectors. Everywhere else, and where a run is too short for such
/// a tile, one broadcast serves two registers.
///
/// # Safety
/// For every pixel of the walk, `values` must be readable there for `run` floats, and for [`MAX_OVERREAD`] more unless `run` is
/// a multiple of 8, and `vectors` for `V` registers; `target` must be writable (and hold sums, if they are added to) for `run` lines.
#[inline(always)]
pub(crate) unsafe fn correlate_contiguous<S: Simd, const V: usize>(
    values: *const f32,
    run: usize,
    vectors: *const f32,
    walk: Walk,
    target: *mut f32,
    line: usize,
    accumulate: Accumulate,
    broadcast: Broadcast,
) {
    let mut done = 0;
    while done < run {
        let left = run - done;
        // SAFETY: granted by the caller: a tile has at most 7 rows more than are left, and no more where 8 divides them.
        unsafe {
            let (values, target) = (values.add(done), target.add(done * line));
            macro_rules! tile {
                ($p:tt by $t:tt) => {
                    tile_of_contiguous::<S, $p, $t, V>(values, left, vectors, walk, target, line, accumulate)
                };
            }
            done += match (lanes::<S>(), left) {
                // Tiles of about the same number of rows, the last with no more than are left.
                (16, 9..) if V == 2 && broadcast == Broadcast::Explicit => {
                    match left.div_ceil(left.div_ceil(12)) {
                        12 => tile!(12 by V),
                        11 => tile!(11 by V),
                        10 => tile!(10 by V),
                        9 => tile!(9 by V),
                        8 => tile!(8 by V),
                        _ => tile!(7 by V),
                    }
                }
                (16, 7) if broadcast == Broadcast::Explicit => tile!(7 by V),
                (16, 21..) => tile!(MAX_TILE_ROWS by 1),
                (16, 17..) => tile!(12 by 1),
                (16, 13..) => tile!(16 by 1),
                (16, 11 | 12) => tile!(12 by V),
                (16, 10) => tile!(10 by V),
                (16, 9) => tile!(9 by V),
                // Runs of 8 and 16 leave 2 and 4.
                (8, 5..) => tile!(6 by V),
                (8, 3..) => tile!(4 by V),
                (8, _) => tile!(2 by V),
                _ => tile!(8 by V),
            };
        }
    }
}

/// At most `P` lines of [`correlate_contiguous`], `T` registers at a time; returns how many.
///
/// # Safety
/// As for [`correlate_contiguous`]; `values` must be readable for `P` floats.
#[inline(always)]
unsafe fn tile_of_contiguous<S: Simd, const P: usize, const T: usize, const V: usize>(
    values: *const f32,
    left: usize,
    vectors: *const f32,
    walk: Walk,
    target: *mut f32,
    line: usize,
    accumulate: Accumulate,
) -> usize {
    let width = lanes::<S>();
    let count = P.min(left);
    for first in (0..V).step_by(T) {
        // SAFETY: granted by the caller.
        unsafe {
            let sums = correlate::<S, P, T>(values, vectors.add(first * width), walk);
            store_sums::<S, P, T>(target.add(first * width), line, &sums, count, accumulate);
        }
    }
    count
}
