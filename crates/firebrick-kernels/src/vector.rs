//! Formulas of optimisers on Burn's tensors: chooses between one pass of the kernels and Burn's own operations.

use burn::tensor::{DType, Tensor};

use crate::backend::Native;

/// `a * alpha + b * beta`; where `a` is not used elsewhere the result takes its place. Factors are
/// rounded to the tensors' type.
///
/// # Shapes
/// `a`, `b` and the result `[n]`.
pub fn scaled_sum(a: Tensor<1>, alpha: f64, b: Tensor<1>, beta: f64) -> Tensor<1> {
    if let Some(native) = native_for(&[&a, &b]) {
        return native.scaled_sum(a, b, [alpha as f32, beta as f32]);
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
    if let Some(native) = native_for(&[&a, &b, &c]) {
        return native.two_scaled_sums(a, b, c, factors.map(|factor| factor as f32));
    }
    let b = scaled_sum(b, beta, c, gamma);
    (b.clone(), scaled_sum(a, alpha, b, delta))
}

/// The square root of the sum of squares.
///
/// # Shapes
/// `values` `[n]`, the result `[1]`.
pub fn l2_norm(values: Tensor<1>) -> Tensor<1> {
    if let Some(native) = native_for(&[&values]) {
        return native.l2_norm(values);
    }
    values.square().sum().sqrt()
}

/// The device of these tensors, if all are of one length and the kernels compute all of them.
fn native_for(tensors: &[&Tensor<1>]) -> Option<Native> {
    let mut native = None;
    for tensor in tensors {
        if tensor.dtype() != DType::F32 || tensor.dims() != tensors[0].dims() {
            return None;
        }
        native = Some(Native::of(&tensor.device())?);
    }
    native
}
