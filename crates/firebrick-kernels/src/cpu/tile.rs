//! The register tiles in which nearly all arithmetic happens: sums over a pixel's window ([`convolve`],
//! [`convolve_abreast`]) and over pixels ([`correlate_run`], [`correlate_apart`]).
//!
//! All keep rows of registers of sums and broadcast one value for each row. The lanes run along output channels, so a
//! sum's order of additions never depends on the width of the registers, nor on the tile.

use macerator::Simd;

use super::simd::{F32s, add, each, lanes, load, mul_add, splat, store};
use super::tile_form::TileForm;

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

/// `sums[p][v] + sum over runs r, j < run_len: pixel[p][runs[r] + j] * weights[(r * run_len + j), v]`.
///
/// # Safety
/// Every `pixels[p] + runs[r] + j` must be readable, and `weights` for
/// `runs.len() * run_len * V` registers.
#[inline(always)]
pub(crate) unsafe fn convolve<S: Simd, const P: usize, const V: usize>(
    pixels: [*const f32; P],
    runs: &[usize],
    run_len: usize,
    mut weights: *const f32,
    mut sums: Tile<S, P, V>,
) -> Tile<S, P, V> {
    let width = lanes::<S>();
    for &run in runs {
        // SAFETY: the caller grants every address formed here.
        unsafe {
            let source: [*const f32; P] = each(|p| pixels[p].add(run));
            for index in 0..run_len {
                let weight: [F32s<S>; V] = each(|v| load::<S>(weights.add(v * width)));
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

/// As [`convolve`] for `R` groups of `C` results, those of a group `RUN` floats apart in the source:
/// `sums[r][c] = first + sum over runs [source, line] and j < RUN: groups[r][c * RUN + source + j] * weights[line + j]`.
///
/// With distances known to the compiler one address serves a whole group, and with one register a broadcast is part of its
/// multiply-add (see [`TileForm`]). Only AVX-512 has that.
///
/// # Safety
/// Every value of the source must be readable, and `weights` for a register at every line.
#[inline(always)]
pub(crate) unsafe fn convolve_abreast<
    S: Simd,
    const R: usize,
    const C: usize,
    const V: usize,
    const RUN: usize,
>(
    groups: [*const f32; R],
    runs: &[[usize; 2]],
    weights: *const f32,
    first: [F32s<S>; V],
) -> [Tile<S, C, V>; R] {
    const { assert!(RUN.is_multiple_of(4)) }
    let width = lanes::<S>();
    let mut sums = [[first; C]; R];
    for &[source, line] in runs {
        // SAFETY: the caller grants every address formed here.
        unsafe {
            let mut weights = weights.add(line * V * width);
            let mut groups: [*const f32; R] = each(|r| groups[r].add(source));
            macro_rules! product {
                ($j:literal) => {
                    let weight: [F32s<S>; V] = each(|v| load::<S>(weights.add(($j * V + v) * width)));
                    for (sums, group) in sums.iter_mut().zip(&groups) {
                        for (c, sums) in sums.iter_mut().enumerate() {
                            let value = splat::<S>(*group.add(c * RUN + $j));
                            for (sum, weight) in sums.iter_mut().zip(&weight) {
                                *sum = mul_add::<S>(value, *weight, *sum);
                            }
                        }
                    }
                };
            }
            for _ in 0..RUN / 4 {
                product!(0);
                product!(1);
                product!(2);
                product!(3);
                weights = weights.wrapping_add(4 * V * width);
                groups = each(|r| own_register(groups[r].wrapping_add(4)));
            }
        }
    }
    sums
}

/// The same pointer, which the compiler can no longer see as a distance from another: an address with an index would
/// make two instructions of a multiply-add that broadcasts.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block)] // nothing is read through it
fn own_register(mut pointer: *const f32) -> *const f32 {
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}

/// The same pointer.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn own_register(pointer: *const f32) -> *const f32 {
    pointer
}

/// Where [`correlate_run`] walks: the same rectangle of pixels of several images, in two arrays.
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

/// `sums[p][v] = sum over the walk's pixels: values[p + pixel] * vectors[pixel, v]`.
///
/// # Safety
/// For every pixel of the walk, `values` must be readable there for `P` floats, and `vectors` for `V` registers.
#[inline(always)]
unsafe fn correlate<S: Simd, const P: usize, const V: usize>(
    values: *const f32,
    vectors: *const f32,
    walk: Walk,
) -> Tile<S, P, V> {
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
/// not lie side by side, with `line` floats from one to the next.
///
/// # Safety
/// As for [`correlate_run`], with `values` readable at every offset.
#[inline(always)]
pub(crate) unsafe fn correlate_apart<S: Simd, const P: usize, const V: usize>(
    values: *const f32,
    offsets: &[usize],
    vectors: *const f32,
    walk: Walk,
    target: *mut f32,
    line: usize,
    before: Before,
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
            store_sums::<S, P, V>(target.add(index * P * line), line, &sums, offsets.len(), before);
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
    sums: &Tile<S, P, T>,
    count: usize,
    before: Before,
) {
    for (p, sums) in sums.iter().enumerate().take(count) {
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: granted by the caller.
            unsafe {
                let at = target.add(p * line + v * lanes::<S>());
                let sum = match before {
                    Before::Nothing => sum,
                    Before::Sums => add::<S>(load::<S>(at), sum),
                };
                store::<S>(at, sum);
            }
        }
    }
}

/// What happens to sums that were stored before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// There are none: whatever lies there is written over.
    Nothing,
    /// They are added to.
    Sums,
}

/// Pairs of the highest tile of [`correlate_run`].
pub(crate) const HIGHEST: usize = 24;

/// Floats that [`correlate_run`] may read behind a run whose length is not a multiple of one more than that.
pub(crate) const RUN_SLACK: usize = 7;

/// `target[i * line + v] (+)= sum over the walk's pixels: values[i + pixel] * vectors[pixel, v]` for `i < run`, with
/// `line` floats from one to the next.
///
/// AVX-512 has a multiply-add that broadcasts from memory on the way, so its tiles may be one register wide and as high
/// as there are registers ([`TileForm::Tall`]): fewer instructions and half the vectors' traffic. Everywhere else, and where
/// a run is too short for a high tile, one broadcast serves two registers.
///
/// # Safety
/// For every pixel of the walk, `values` must be readable there for `run` floats, and for [`RUN_SLACK`] more unless `run` is
/// a multiple of 8, and `vectors`
/// for `V` registers; `target` must be writable (and hold sums, if they are added to) for `run` lines.
#[inline(always)]
pub(crate) unsafe fn correlate_run<S: Simd, const V: usize>(
    values: *const f32,
    run: usize,
    vectors: *const f32,
    walk: Walk,
    target: *mut f32,
    line: usize,
    before: Before,
    form: TileForm,
) {
    let mut done = 0;
    while done < run {
        let left = run - done;
        // SAFETY: granted by the caller: a tile is at most 7 higher than what is left, and no higher where 8 divides it.
        unsafe {
            let (values, target) = (values.add(done), target.add(done * line));
            macro_rules! tile {
                ($p:tt by $t:tt) => {
                    tile_of_run::<S, $p, $t, V>(values, left, vectors, walk, target, line, before)
                };
            }
            done += match (lanes::<S>(), left) {
                // Tiles of about the same height, the last no higher than what is left.
                (16, 9..) if V == 2 && form == TileForm::Wide => match left.div_ceil(left.div_ceil(12)) {
                    12 => tile!(12 by V),
                    11 => tile!(11 by V),
                    10 => tile!(10 by V),
                    9 => tile!(9 by V),
                    8 => tile!(8 by V),
                    _ => tile!(7 by V),
                },
                (16, 7) if form == TileForm::Wide => tile!(7 by V),
                (16, 21..) => tile!(HIGHEST by 1),
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

/// At most `P` lines of [`correlate_run`], `T` registers at a time; returns how many.
///
/// # Safety
/// As for [`correlate_run`]; `values` must be readable for `P` floats.
#[inline(always)]
unsafe fn tile_of_run<S: Simd, const P: usize, const T: usize, const V: usize>(
    values: *const f32,
    left: usize,
    vectors: *const f32,
    walk: Walk,
    target: *mut f32,
    line: usize,
    before: Before,
) -> usize {
    let width = lanes::<S>();
    let count = P.min(left);
    for first in (0..V).step_by(T) {
        // SAFETY: granted by the caller.
        unsafe {
            let sums = correlate::<S, P, T>(values, vectors.add(first * width), walk);
            store_sums::<S, P, T>(target.add(first * width), line, &sums, count, before);
        }
    }
    count
}
