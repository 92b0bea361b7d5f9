//! Formulas of optimisers on Burn's tensors: chooses between one pass of the kernels and Burn's own operations.

use burn::tensor::{DType, Tensor};

/// `a * alpha + b * beta`; where `a` is not used elsewhere the result takes its place. Factors are
/// rounded to the tensors' type.
///
/// # Shapes
/// `a`, `b` and the result `[n]`.
pub fn scaled_sum(a: Tensor<1>, alpha: f64, b: Tensor<1>, beta: f64) -> Tensor<1> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if suits(&a) && suits(&b) && a.dims() == b.dims() {
        return crate::backend::run_scaled_sum(a, b, [alpha as f32, beta as f32]);
    }
    let scaled =
        |tensor: Tensor<1>, factor: f64| if factor == 1.0 { tensor } else { tensor.mul_scalar(factor) };
    // A negative factor as a difference: one operation less where it is -1, the same bits otherwise.
    if beta < 0.0 { scaled(a, alpha).sub(scaled(b, -beta)) } else { scaled(a, alpha).add(scaled(b, beta)) }
}

/// `b * beta + c * gamma`, and `a * alpha + delta * that`, in this order; where `a` and `b` are not used elsewhere the
/// results take their places. `factors` are `[alpha, beta, gamma, delta]`, rounded to the tensors' type.
///
/// # Shapes
/// All `[n]`.
pub fn two_scaled_sums(
    a: Tensor<1>,
    b: Tensor<1>,
    c: Tensor<1>,
    factors: [f64; 4],
) -> (Tensor<1>, Tensor<1>) {
    let [alpha, beta, gamma, delta] = factors;
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if [&a, &b, &c].into_iter().all(suits) && a.dims() == b.dims() && b.dims() == c.dims() {
        return crate::backend::run_two_scaled_sums(a, b, c, factors.map(|factor| factor as f32));
    }
    let b = scaled_sum(b, beta, c, gamma);
    (b.clone(), scaled_sum(a, alpha, b, delta))
}

/// The square root of the sum of squares.
///
/// # Shapes
/// `values` `[n]`, the result `[1]`.
pub fn l2_norm(values: Tensor<1>) -> Tensor<1> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if suits(&values) {
        return crate::backend::run_l2_norm(values);
    }
    values.square().sum().sqrt()
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn suits(tensor: &Tensor<1>) -> bool {
    tensor.dtype() == DType::F32 && crate::backend::is_native(&tensor.device())
}
