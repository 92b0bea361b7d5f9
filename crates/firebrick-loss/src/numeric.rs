//! Pieces of arithmetic that several losses share, each with torch's gradient where a formula has a
//! corner: at zero, at infinity and at NaN.
//!
//! `inner()` is used to make constants: Burn's `detach` keeps a leaf's `require_grad`, so a detached
//! leaf is still tracked and would cost a graph.

use burn::tensor::{DType, Tensor, TensorData};

/// A constant with the element type and device of `like`. Uploads, but never waits for the device.
pub(crate) fn constant<const D: usize, const E: usize>(
    values: &[f64],
    shape: [usize; D],
    like: &Tensor<E>,
) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&like.device(), like.dtype()))
}

/// `log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|))`, exact at both ends.
///
/// `-|x|` is written as a product with a constant sign, because the gradient of `|x|` at 0 is 0 and
/// torch's gradient of the whole at 0 is 1/2: a network that starts with zero logits must learn.
pub(crate) fn log_sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let constant = x.clone().inner();
    let not_positive = constant.clone().lower_equal_scalar(0.0);
    let sign = constant.ones_like().neg().mask_fill(not_positive, 1.0);
    let minus_magnitude = x.clone() * sign;
    x.clamp_max(0.0) - minus_magnitude.exp().log1p()
}

/// `max(x, 0)` as torch's margin losses have it: no gradient at exactly 0, and a NaN stays NaN in
/// the value without a gradient.
pub(crate) fn positive_part<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let constant = x.clone().inner();
    let number = constant.clone().is_nan().bool_not();
    strictly_positive(x) + constant.mask_fill(number, 0.0)
}

/// `x` where `x > 0`, otherwise 0, with no gradient at exactly 0. A NaN counts as 0: the loops of
/// torch's multi-class margin losses add a term only `if (z > 0)`.
pub(crate) fn strictly_positive<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let not_positive = x.clone().inner().greater_scalar(0.0).bool_not();
    x.mask_fill(not_positive, 0.0)
}

/// `x^power` for `x >= 0`, with value and gradient 0 at `x = 0`, where `powf` alone gives an
/// infinite or NaN gradient for powers below 1.
pub(crate) fn power<const D: usize>(x: Tensor<D>, power: f64) -> Tensor<D> {
    let zero = x.clone().inner().equal_scalar(0.0);
    let x = x.mask_fill(zero.clone(), 1.0);
    // Burn's ndarray rounds the exponent to f32, also for f64 tensors.
    let is_rounded = x.dtype() == DType::F64 && f64::from(power as f32) != power;
    let powers = if is_rounded { x.log().mul_scalar(power).exp() } else { x.powf_scalar(power) };
    powers.mask_fill(zero, 0.0)
}

/// A tensor whose value is `value` and whose gradient with respect to `input` is `gradient`, for the
/// losses where torch's backward is not the derivative of its forward. `input` has to be finite.
pub(crate) fn with_gradient<const D: usize>(
    value: Tensor<D>,
    input: Tensor<D>,
    gradient: Tensor<D>,
) -> Tensor<D> {
    let zero = input.clone() - input.inner();
    value + zero * gradient
}
