//! The transforms of one axis, for the points 0, 1, -1, 2, -2 and infinity.
//!
//! All of them are made of three: the transform of the input (`B^T`), evaluation of a polynomial
//! at the points (`A`, and `G` up to scale), and its transpose.

use macerator::Simd;

use super::POINTS;
use crate::cpu::simd::{F32s, add, load, mul, mul_add, splat, store, sub};

/// What the values of the weight's polynomial are multiplied by at each point: one over the product of its
/// distances to the other finite points.
const SCALE: [f32; POINTS] = [1.0 / 4.0, -1.0 / 6.0, -1.0 / 6.0, 1.0 / 24.0, 1.0 / 24.0, 1.0];

/// A linear transform of `FROM` values on one axis to `TO` values.
///
/// A trait and not a closure, because only functions marked `inline(always)` are compiled for the
/// instruction set that the kernel was dispatched to.
pub(crate) trait Axis<S: Simd, const FROM: usize, const TO: usize> {
    /// Apply it.
    fn apply(values: [F32s<S>; FROM]) -> [F32s<S>; TO];
}

/// Transform of six neighbouring inputs (`B^T x`).
pub(crate) struct Input;

/// Values of a polynomial at the points, from its coefficients (`A y`).
pub(crate) struct Evaluate;

/// The transpose of [`Evaluate`] (`A^T m`).
pub(crate) struct Collect;

/// Transform of the weight's taps (`G w`).
pub(crate) struct Weight;

/// The transpose of [`Weight`] (`G^T u`).
pub(crate) struct WeightGradient;

impl<S: Simd> Axis<S, POINTS, POINTS> for Input {
    #[inline(always)]
    fn apply(x: [F32s<S>; POINTS]) -> [F32s<S>; POINTS] {
        let (two, four, minus_five) = (splat::<S>(2.0), splat::<S>(4.0), splat::<S>(-5.0));
        let (minus_two, minus_four) = (splat::<S>(-2.0), splat::<S>(-4.0));
        let even = mul_add::<S>(minus_four, x[2], x[4]);
        let odd = mul_add::<S>(minus_four, x[1], x[3]);
        let outer_even = sub::<S>(x[4], x[2]);
        let outer_odd = sub::<S>(x[3], x[1]);
        [
            mul_add::<S>(four, x[0], mul_add::<S>(minus_five, x[2], x[4])),
            add::<S>(even, odd),
            sub::<S>(even, odd),
            mul_add::<S>(two, outer_odd, outer_even),
            mul_add::<S>(minus_two, outer_odd, outer_even),
            mul_add::<S>(four, x[1], mul_add::<S>(minus_five, x[3], x[5])),
        ]
    }
}

impl<S: Simd, const K: usize> Axis<S, K, POINTS> for Evaluate {
    #[inline(always)]
    fn apply(y: [F32s<S>; K]) -> [F32s<S>; POINTS] {
        // Sums of even and of odd powers, at 1 and at 2; there are at least two coefficients.
        let (mut near, mut far) = ([y[0], y[1]], [y[0], add::<S>(y[1], y[1])]);
        let mut power = 2;
        while power < K {
            let side = power % 2;
            near[side] = add::<S>(near[side], y[power]);
            far[side] = mul_add::<S>(splat::<S>((1u32 << power) as f32), y[power], far[side]);
            power += 1;
        }
        [
            y[0],
            add::<S>(near[0], near[1]),
            sub::<S>(near[0], near[1]),
            add::<S>(far[0], far[1]),
            sub::<S>(far[0], far[1]),
            y[K - 1],
        ]
    }
}

impl<S: Simd, const K: usize> Axis<S, POINTS, K> for Collect {
    #[inline(always)]
    fn apply(m: [F32s<S>; POINTS]) -> [F32s<S>; K] {
        let near = [add::<S>(m[1], m[2]), sub::<S>(m[1], m[2])];
        let far = [add::<S>(m[3], m[4]), sub::<S>(m[3], m[4])];
        let mut sums = [add::<S>(add::<S>(m[0], near[0]), far[0]); K];
        let mut power = 1;
        while power < K {
            let weight = splat::<S>((1u32 << power) as f32);
            sums[power] = mul_add::<S>(weight, far[power % 2], near[power % 2]);
            power += 1;
        }
        sums[K - 1] = add::<S>(sums[K - 1], m[5]);
        sums
    }
}

impl<S: Simd, const K: usize> Axis<S, K, POINTS> for Weight {
    #[inline(always)]
    fn apply(taps: [F32s<S>; K]) -> [F32s<S>; POINTS] {
        scaled::<S>(Evaluate::apply(taps))
    }
}

impl<S: Simd, const K: usize> Axis<S, POINTS, K> for WeightGradient {
    #[inline(always)]
    fn apply(points: [F32s<S>; POINTS]) -> [F32s<S>; K] {
        Collect::apply(scaled::<S>(points))
    }
}

/// Multiply by [`SCALE`].
#[inline(always)]
fn scaled<S: Simd>(mut values: [F32s<S>; POINTS]) -> [F32s<S>; POINTS] {
    let mut point = 0;
    while point < POINTS {
        values[point] = mul::<S>(values[point], splat::<S>(SCALE[point]));
        point += 1;
    }
    values
}

/// Values of one register of channels at the pixels (or points) of a square, row by row.
pub(crate) type Square<S, const N: usize> = [[F32s<S>; N]; N];

/// Apply a transform of one axis to both axes of a square.
#[inline(always)]
pub(crate) fn both_axes<S: Simd, A: Axis<S, FROM, TO>, const FROM: usize, const TO: usize>(
    square: Square<S, FROM>,
) -> Square<S, TO> {
    let zero = splat::<S>(0.0);
    let mut half = [[zero; FROM]; TO];
    for column in 0..FROM {
        let mut line = [zero; FROM];
        for row in 0..FROM {
            line[row] = square[row][column];
        }
        let line = A::apply(line);
        for row in 0..TO {
            half[row][column] = line[row];
        }
    }
    let mut result = [[zero; TO]; TO];
    for row in 0..TO {
        result[row] = A::apply(half[row]);
    }
    result
}

/// Read a square whose rows and columns lie `strides` floats apart.
///
/// # Safety
/// Every register of the square must be readable.
#[inline(always)]
pub(crate) unsafe fn load_square<S: Simd, const N: usize>(
    source: *const f32,
    strides: [usize; 2],
) -> Square<S, N> {
    let mut square = [[splat::<S>(0.0); N]; N];
    for row in 0..N {
        for column in 0..N {
            // SAFETY: granted by the caller.
            square[row][column] = unsafe { load::<S>(source.add(row * strides[0] + column * strides[1])) };
        }
    }
    square
}

/// Write a square whose rows and columns lie `strides` floats apart.
///
/// # Safety
/// Every register of the square must be writable.
#[inline(always)]
pub(crate) unsafe fn store_square<S: Simd, const N: usize>(
    target: *mut f32,
    strides: [usize; 2],
    square: &Square<S, N>,
) {
    for row in 0..N {
        for column in 0..N {
            // SAFETY: granted by the caller.
            unsafe { store::<S>(target.add(row * strides[0] + column * strides[1]), square[row][column]) };
        }
    }
}
