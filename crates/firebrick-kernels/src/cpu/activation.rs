//! Activations that are fused with other kernels.

use macerator::Simd;

use super::simd::{F32s, splat};

/// What is applied to a kernel's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
}

/// Zero where negative; a NaN stays (as in torch).
#[inline(always)]
pub(crate) fn relu<S: Simd>(value: F32s<S>) -> F32s<S> {
    let zero = splat::<S>(0.0);
    value.lt(zero).select(zero, value)
}

/// The gradient before ReLU. As in torch none passes where ReLU's result is <= 0, and a NaN lets it through.
#[inline(always)]
pub(crate) fn relu_gradient<S: Simd>(gradient: F32s<S>, result: F32s<S>) -> F32s<S> {
    let zero = splat::<S>(0.0);
    result.le(zero).select(zero, gradient)
}
