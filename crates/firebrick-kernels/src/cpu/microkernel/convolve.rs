//! The microkernels of forward passes and input gradients: a result is a sum over the runs of floats under its kernel taps,
//! times packed weights.

use macerator::Simd;

use super::register_tile::RegisterTile;
use crate::cpu::simd::{F32s, add, each, lanes, load, mul_add, splat};

/// Products of a linear layer's sum that are added up by themselves before they are added to it (BLIS's kc). Part of the
/// order of additions. This length and not another, because with it the recorded runs with Adam, which amplify every
/// rounding, stay within what is promised (`cargo xtask parity`); no length is more exact in general.
pub(crate) const DEPTH_BLOCK: usize = 512;

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
    mut sums: RegisterTile<S, P, V>,
) -> RegisterTile<S, P, V> {
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

/// As [`convolve`] for `R` groups of `C` results, one for each image of a block of the batch; the values of a group lie
/// `RUN` floats apart in the source:
/// `sums[r][c] = first + sum over runs [source, line] and j < RUN: groups[r][c * RUN + source + j] * weights[line + j]`.
///
/// With distances that are constants one address serves a whole group, and with one register the broadcast is embedded in
/// its multiply-add (see `broadcast.rs`). Only AVX-512 has that.
///
/// # Safety
/// Every value of the source must be readable, and `weights` for a register at every line.
#[inline(always)]
pub(crate) unsafe fn convolve_batch_blocked<
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
) -> [RegisterTile<S, C, V>; R] {
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
                groups = each(|r| opaque_pointer(groups[r].wrapping_add(4)));
            }
        }
    }
    sums
}

/// The same pointer, but the compiler no longer knows its distance from another: it would form indexed addresses, which split
/// a multiply-add with an embedded broadcast into two instructions.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block)] // nothing is read through it
fn opaque_pointer(mut pointer: *const f32) -> *const f32 {
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}

/// The same pointer.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn opaque_pointer(pointer: *const f32) -> *const f32 {
    pointer
}

/// [`convolve`] over one long run, in parts of [`DEPTH_BLOCK`] products.
///
/// # Safety
/// As for [`convolve`].
#[inline(always)]
pub(crate) unsafe fn convolve_depth_blocked<S: Simd, const P: usize, const V: usize>(
    pixels: [*const f32; P],
    run_len: usize,
    weights: *const f32,
    first: [F32s<S>; V],
) -> RegisterTile<S, P, V> {
    let mut total = [first; P];
    for start in (0..run_len).step_by(DEPTH_BLOCK) {
        let len = DEPTH_BLOCK.min(run_len - start);
        // SAFETY: granted by the caller.
        let part = unsafe {
            let weights = weights.add(start * V * lanes::<S>());
            convolve::<S, P, V>(pixels, &[start], len, weights, [[splat::<S>(0.0); V]; P])
        };
        for (total, part) in total.iter_mut().zip(&part) {
            for (total, part) in total.iter_mut().zip(part) {
                *total = add::<S>(*total, *part);
            }
        }
    }
    total
}
