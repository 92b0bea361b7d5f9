//! Activation functions: which there are, and those that convolutions apply to their results themselves.

use macerator::Simd;

use super::simd::{F32s, splat};

/// A function of each value by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The value itself.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `min(max(x + 3, 0), 6) / 6`.
    Hardsigmoid,
    /// `x * hardsigmoid(x)`.
    Hardswish,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x * sigmoid(x)`.
    Silu,
    /// `x * (1 + erf(x / sqrt(2))) / 2`.
    Gelu,
}

impl Activation {
    /// The same as part of a convolution or linear layer, for the functions that those apply themselves.
    #[must_use]
    pub fn fused(self) -> Option<FusedActivation> {
        match self {
            Self::None => Some(FusedActivation::None),
            Self::Relu => Some(FusedActivation::Relu),
            _ => None,
        }
    }

    /// Whether the gradient is known from the results, without what the function was applied to.
    #[must_use]
    pub fn is_known_by_results(self) -> bool {
        matches!(self, Self::None | Self::Relu | Self::Relu6)
    }
}

/// What a convolution or linear layer applies to its results before it stores them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FusedActivation {
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
