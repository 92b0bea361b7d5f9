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
/// `values` of any, the result `[1]`.
pub fn l2_norm<const D: usize>(values: Tensor<D>) -> Tensor<1> {
    if let Some(native) = native_for(&[&values]) {
        return native.l2_norm(values);
    }
    flattened(values).square().sum().sqrt()
}

/// The values as one row. A reshape costs as much as many an update, and vectors, which half of all parameters are, need
/// none.
///
/// # Shapes
/// The result `[n]`.
pub fn flattened<const D: usize>(values: Tensor<D>) -> Tensor<1> {
    if D == 1 { same_rank(values) } else { values.reshape([-1]) }
}

/// The opposite of [`flattened`].
///
/// # Shapes
/// `flat` `[n]`, of as many values as `shape` has.
pub fn unflattened<const D: usize>(flat: Tensor<1>, shape: [usize; D]) -> Tensor<D> {
    if D == 1 { same_rank(flat) } else { flat.reshape(shape) }
}

/// The same tensor, where `FROM` and `TO` are the same number.
fn same_rank<const FROM: usize, const TO: usize>(tensor: Tensor<FROM>) -> Tensor<TO> {
    assert!(FROM == TO, "bug: a tensor of rank {FROM} is not one of rank {TO}");
    Tensor::from_dispatch(tensor.into_dispatch())
}

/// The device of these tensors, if all are of one shape and the kernels compute all of them.
fn native_for<const D: usize>(tensors: &[&Tensor<D>]) -> Option<Native> {
    let mut native = None;
    for tensor in tensors {
        if tensor.dtype() != DType::F32 || tensor.dims() != tensors[0].dims() {
            return None;
        }
        native = Some(Native::of(&tensor.device())?);
    }
    native
}
