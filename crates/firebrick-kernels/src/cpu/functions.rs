//! Activation functions and their gradients on registers.
//!
//! exp and erf are polynomials and ratios of them, within a few units of the last place of the exact value. Every lane is
//! computed alike, so results do not depend on the width of the registers.

// Coefficients stand as they were published.
#![allow(clippy::excessive_precision)]

use macerator::{Simd, VDiv, Vector};

use super::activation::{Activation, relu, relu_gradient};
use super::simd::{F32s, add, mul, mul_add, splat, sub};

/// A function and its gradient, known when the code is compiled.
pub(super) trait Function: Sync {
    /// Its value at `x`.
    fn value<S: Simd>(x: F32s<S>) -> F32s<S>;

    /// The gradient of `x`, given that of the value. For functions that
    /// [`is_known_by_results`](Activation::is_known_by_results) says yes to, `x` may also be the value itself.
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S>;
}

/// Work that is compiled for each function.
pub(super) trait WithFunction {
    type Output;

    /// Do it with the function.
    fn with<F: Function>(self) -> Self::Output;
}

/// Do the work compiled for this function.
#[inline(always)]
pub(super) fn with_function<W: WithFunction>(activation: Activation, work: W) -> W::Output {
    match activation {
        Activation::None => work.with::<Identity>(),
        Activation::Relu => work.with::<Relu>(),
        Activation::Relu6 => work.with::<Relu6>(),
        Activation::Hardsigmoid => work.with::<Hardsigmoid>(),
        Activation::Hardswish => work.with::<Hardswish>(),
        Activation::Sigmoid => work.with::<Sigmoid>(),
        Activation::Silu => work.with::<Silu>(),
        Activation::Gelu => work.with::<Gelu>(),
    }
}

/// [`Activation::None`].
pub(super) struct Identity;

impl Function for Identity {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        x
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, _: F32s<S>) -> F32s<S> {
        gradient
    }
}

/// [`Activation::Relu`].
pub(super) struct Relu;

impl Function for Relu {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        relu::<S>(x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        relu_gradient::<S>(gradient, x)
    }
}

/// [`Activation::Relu6`]; the gradient is 0 at 0 and at 6.
pub(super) struct Relu6;

impl Function for Relu6 {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        between::<S>(x, 0.0, 6.0)
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        let zero = splat::<S>(0.0);
        let gradient = x.ge(splat::<S>(6.0)).select(zero, gradient);
        x.le(zero).select(zero, gradient)
    }
}

/// [`Activation::Hardsigmoid`]; the gradient is 0 at -3 and at 3.
pub(super) struct Hardsigmoid;

impl Function for Hardsigmoid {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        let inside = div::<S>(add::<S>(x, splat::<S>(3.0)), splat::<S>(6.0));
        between::<S>(inside, 0.0, 1.0)
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        let zero = splat::<S>(0.0);
        let gradient = mul::<S>(gradient, splat::<S>(1.0 / 6.0));
        let gradient = x.ge(splat::<S>(3.0)).select(zero, gradient);
        x.le(splat::<S>(-3.0)).select(zero, gradient)
    }
}

/// [`Activation::Hardswish`]; the gradient is 0 at -3, and all of it passes at 3.
pub(super) struct Hardswish;

impl Function for Hardswish {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        mul::<S>(x, Hardsigmoid::value::<S>(x))
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        let slope = mul_add::<S>(x, splat::<S>(1.0 / 3.0), splat::<S>(0.5));
        let inside = x.ge(splat::<S>(3.0)).select(gradient, mul::<S>(gradient, slope));
        x.le(splat::<S>(-3.0)).select(splat::<S>(0.0), inside)
    }
}

/// [`Activation::Sigmoid`].
pub(super) struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        let one = splat::<S>(1.0);
        div::<S>(one, add::<S>(one, exp::<S>(sub::<S>(splat::<S>(0.0), x))))
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        let value = Self::value::<S>(x);
        mul::<S>(gradient, mul::<S>(value, sub::<S>(splat::<S>(1.0), value)))
    }
}

/// [`Activation::Silu`].
pub(super) struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        mul::<S>(x, Sigmoid::value::<S>(x))
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        let one = splat::<S>(1.0);
        let sigmoid = Sigmoid::value::<S>(x);
        let slope = mul_add::<S>(x, sub::<S>(one, sigmoid), one);
        mul::<S>(gradient, mul::<S>(sigmoid, slope))
    }
}

/// [`Activation::Gelu`].
pub(super) struct Gelu;

impl Gelu {
    /// The probability that a standard normal number is below `x`.
    #[inline(always)]
    fn probability<S: Simd>(x: F32s<S>) -> F32s<S> {
        let half = splat::<S>(0.5);
        let erf = erf::<S>(mul::<S>(x, splat::<S>(std::f32::consts::FRAC_1_SQRT_2)));
        mul_add::<S>(erf, half, half)
    }
}

impl Function for Gelu {
    #[inline(always)]
    fn value<S: Simd>(x: F32s<S>) -> F32s<S> {
        mul::<S>(x, Self::probability::<S>(x))
    }

    #[inline(always)]
    fn gradient<S: Simd>(gradient: F32s<S>, x: F32s<S>) -> F32s<S> {
        /// 1 / sqrt(2 pi).
        const DENSITY_AT_0: f32 = 0.398_942_3;
        let density = exp::<S>(mul::<S>(mul::<S>(x, x), splat::<S>(-0.5)));
        let density = mul::<S>(density, splat::<S>(DENSITY_AT_0));
        mul::<S>(gradient, mul_add::<S>(x, density, Self::probability::<S>(x)))
    }
}

#[inline(always)]
fn div<S: Simd>(a: F32s<S>, b: F32s<S>) -> F32s<S> {
    f32::vdiv(a, b)
}

/// `x` where it lies between `low` and `high`, otherwise the nearer of them; a NaN stays.
#[inline(always)]
fn between<S: Simd>(x: F32s<S>, low: f32, high: f32) -> F32s<S> {
    let [low, high] = [low, high].map(|bound| splat::<S>(bound));
    let x = x.lt(low).select(low, x);
    x.gt(high).select(high, x)
}

/// `e` to the power of `x`; for `x` beyond -87 and 88 the value there.
///
/// # Source
/// The polynomial of Cephes' `expf` (S. L. Moshier).
#[inline(always)]
fn exp<S: Simd>(x: F32s<S>) -> F32s<S> {
    /// From each of them on the nearest integer is in the last bits.
    const ROUNDS: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_375;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = between::<S>(x, -87.0, 88.0);
    let shifted = mul_add::<S>(x, splat::<S>(std::f32::consts::LOG2_E), splat::<S>(ROUNDS));
    let power = sub::<S>(shifted, splat::<S>(ROUNDS));
    let rest = mul_add::<S>(power, splat::<S>(-LN_2_HIGH), x);
    let rest = mul_add::<S>(power, splat::<S>(-LN_2_LOW), rest);
    let polynomial = horner::<S, 6>(
        rest,
        [1.987_569_2e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.000_000_1e-1],
    );
    let fraction = mul_add::<S>(polynomial, mul::<S>(rest, rest), add::<S>(rest, splat::<S>(1.0)));
    // The power's bits, moved to where a float has its exponent.
    let bits: Vector<S, i32> = shifted.reinterpret();
    let two_to_power: F32s<S> = ((bits << 23) + splat::<S>(1.0).reinterpret()).reinterpret();
    mul::<S>(fraction, two_to_power)
}

/// The error function.
///
/// # Source
/// The rational function of Eigen's `generic_fast_erf_float`, up to where erf rounds to 1.
#[inline(always)]
fn erf<S: Simd>(x: F32s<S>) -> F32s<S> {
    const ROUNDS_TO_1: f32 = 3.9;
    let x = between::<S>(x, -4.0, 4.0);
    let square = mul::<S>(x, x);
    let above = horner::<S, 7>(
        square,
        [
            -2.726_142_3e-10,
            2.770_681_4e-8,
            -2.101_024e-6,
            -5.692_506_4e-5,
            -7.349_906_3e-4,
            -2.954_599_8e-3,
            -1.609_603_3e-2,
        ],
    );
    let below = horner::<S, 5>(
        square,
        [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2],
    );
    let found = div::<S>(mul::<S>(x, above), below);
    let one = splat::<S>(1.0);
    let found = x.ge(splat::<S>(ROUNDS_TO_1)).select(one, found);
    x.le(splat::<S>(-ROUNDS_TO_1)).select(sub::<S>(splat::<S>(0.0), one), found)
}

/// A polynomial, from the coefficient of the highest power on.
#[inline(always)]
fn horner<S: Simd, const N: usize>(x: F32s<S>, coefficients: [f32; N]) -> F32s<S> {
    let mut sum = splat::<S>(coefficients[0]);
    let mut index = 1;
    while index < N {
        sum = mul_add::<S>(sum, x, splat::<S>(coefficients[index]));
        index += 1;
    }
    sum
}
