//! The transforms of one axis, for the points 0, +-[`NEAR`], +-[`FAR`] and infinity.
//!
//! All of them are made of three: the transform of the input (`B^T`), evaluation of a polynomial
//! at the points (`A`, and `G` up to scale), and its transpose. The matrices follow from the points (Toom and Cook's construction);
//! with 1 and 2 they are the ones in Lavin and Gray's paper.

use macerator::Simd;

use super::sizes::POINTS;
use crate::cpu::simd::{F32s, add, load, mul, mul_add, splat, store, sub};

/// The smaller of the two distances from zero.
///
/// 3/4 and 3/2 lose less to rounding than the customary 1 and 2, because their powers stay closer to one; they and
/// the products below are exact in f32.
const NEAR: f32 = 0.75;

/// The larger of the two distances from zero.
const FAR: f32 = 1.5;

const NEAR_2: f32 = NEAR * NEAR;
const FAR_2: f32 = FAR * FAR;

/// What the values of the weight's polynomial are multiplied by at each point: one over the product of its
/// distances to the other finite points.
const SCALE: [f32; POINTS] = {
    let near = 1.0 / (2.0 * NEAR_2 * (NEAR_2 - FAR_2));
    let far = 1.0 / (2.0 * FAR_2 * (FAR_2 - NEAR_2));
    [1.0 / (NEAR_2 * FAR_2), near, near, far, far, 1.0]
};

/// `base` to the power of `exponent`.
const fn power(base: f32, exponent: usize) -> f32 {
    let (mut result, mut count) = (1.0, 0);
    while count < exponent {
        result *= base;
        count += 1;
    }
    result
}

/// A linear transform of `FROM` values on one axis to `TO` values.
///
/// A trait and not a closure, because only functions marked `inline(always)` are compiled for the
/// instruction set that the kernel was dispatched to.
pub(crate) trait Axis<S: Simd, const FROM: usize, const TO: usize> {
    /// Apply it.
    fn apply(values: [F32s<S>; FROM]) -> [F32s<S>; TO];
}

/// Transform of six neighbouring inputs (`B^T x`).
pub(crate) struct InputTransform;

/// Values of a polynomial at the points, from its coefficients (`A y`).
pub(crate) struct Evaluate;

/// Transform of the sums at the points to results, the transpose of [`Evaluate`] (`A^T m`).
pub(crate) struct OutputTransform;

/// Transform of the weight's taps (`G w`).
pub(crate) struct WeightTransform;

/// The transpose of [`WeightTransform`] (`G^T u`).
pub(crate) struct WeightGradientTransform;

impl<S: Simd> Axis<S, POINTS, POINTS> for InputTransform {
    #[inline(always)]
    fn apply(x: [F32s<S>; POINTS]) -> [F32s<S>; POINTS] {
        let [sum, product] = [splat::<S>(-(NEAR_2 + FAR_2)), splat::<S>(NEAR_2 * FAR_2)];
        let [minus_near_2, minus_far_2] = [splat::<S>(-NEAR_2), splat::<S>(-FAR_2)];
        let near_even = mul_add::<S>(minus_far_2, x[2], x[4]);
        let near_odd = mul_add::<S>(minus_far_2, x[1], x[3]);
        let far_even = mul_add::<S>(minus_near_2, x[2], x[4]);
        let far_odd = mul_add::<S>(minus_near_2, x[1], x[3]);
        [
            mul_add::<S>(product, x[0], mul_add::<S>(sum, x[2], x[4])),
            mul_add::<S>(splat::<S>(NEAR), near_odd, near_even),
            mul_add::<S>(splat::<S>(-NEAR), near_odd, near_even),
            mul_add::<S>(splat::<S>(FAR), far_odd, far_even),
            mul_add::<S>(splat::<S>(-FAR), far_odd, far_even),
            mul_add::<S>(product, x[1], mul_add::<S>(sum, x[3], x[5])),
        ]
    }
}

impl<S: Simd, const K: usize> Axis<S, K, POINTS> for Evaluate {
    #[inline(always)]
    fn apply(y: [F32s<S>; K]) -> [F32s<S>; POINTS] {
        // Sums of even and of odd powers at the two distances; there are at least two coefficients.
        let mut near = [y[0], mul::<S>(splat::<S>(NEAR), y[1])];
        let mut far = [y[0], mul::<S>(splat::<S>(FAR), y[1])];
        let mut exponent = 2;
        while exponent < K {
            let side = exponent % 2;
            near[side] = mul_add::<S>(splat::<S>(power(NEAR, exponent)), y[exponent], near[side]);
            far[side] = mul_add::<S>(splat::<S>(power(FAR, exponent)), y[exponent], far[side]);
            exponent += 1;
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

impl<S: Simd, const K: usize> Axis<S, POINTS, K> for OutputTransform {
    #[inline(always)]
    fn apply(m: [F32s<S>; POINTS]) -> [F32s<S>; K] {
        let near = [add::<S>(m[1], m[2]), sub::<S>(m[1], m[2])];
        let far = [add::<S>(m[3], m[4]), sub::<S>(m[3], m[4])];
        let mut sums = [add::<S>(add::<S>(m[0], near[0]), far[0]); K];
        let mut exponent = 1;
        while exponent < K {
            let side = exponent % 2;
            let part = mul::<S>(splat::<S>(power(NEAR, exponent)), near[side]);
            sums[exponent] = mul_add::<S>(splat::<S>(power(FAR, exponent)), far[side], part);
            exponent += 1;
        }
        sums[K - 1] = add::<S>(sums[K - 1], m[5]);
        sums
    }
}

impl<S: Simd, const K: usize> Axis<S, K, POINTS> for WeightTransform {
    #[inline(always)]
    fn apply(taps: [F32s<S>; K]) -> [F32s<S>; POINTS] {
        scaled::<S>(Evaluate::apply(taps))
    }
}

impl<S: Simd, const K: usize> Axis<S, POINTS, K> for WeightGradientTransform {
    #[inline(always)]
    fn apply(points: [F32s<S>; POINTS]) -> [F32s<S>; K] {
        OutputTransform::apply(scaled::<S>(points))
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

/// The sum of a square's values.
#[inline(always)]
pub(crate) fn sum_square<S: Simd, const N: usize>(square: &Square<S, N>) -> F32s<S> {
    let mut total = splat::<S>(0.0);
    for line in square {
        let mut sum = line[0];
        for value in &line[1..] {
            sum = add::<S>(sum, *value);
        }
        total = add::<S>(total, sum);
    }
    total
}
