//! Formulas of optimisers on a CPU backend's tensors.

use burn::backend::TensorMetadata;

use super::native_floats::NativeFloats;
use crate::cpu::Engine;

/// `a * alpha + b * beta`; the callers have checked shapes and types.
pub(crate) fn scaled_sum<B: NativeFloats>(
    a: B::FloatTensorPrimitive,
    b: B::FloatTensorPrimitive,
    [alpha, beta]: [f32; 2],
) -> B::FloatTensorPrimitive {
    let b = B::to_contiguous(b);
    updated::<B, _>(a, |a| Engine::current().scaled_sum(a, alpha, B::values(&b), beta)).0
}

/// `b * factors[1] + c * factors[2]`, and `a * factors[0] + factors[3] * that`; the callers have checked shapes and
/// types.
pub(crate) fn two_scaled_sums<B: NativeFloats>(
    a: B::FloatTensorPrimitive,
    b: B::FloatTensorPrimitive,
    c: B::FloatTensorPrimitive,
    factors: [f32; 4],
) -> (B::FloatTensorPrimitive, B::FloatTensorPrimitive) {
    let c = B::to_contiguous(c);
    updated::<B, _>(b, |b| {
        updated::<B, _>(a, |a| Engine::current().two_scaled_sums(a, b, B::values(&c), factors)).0
    })
}

/// The tensor after `update` has changed its values, in place if nobody else holds them; and what `update` gave.
fn updated<B: NativeFloats, T>(
    tensor: B::FloatTensorPrimitive,
    update: impl FnOnce(&mut [f32]) -> T,
) -> (B::FloatTensorPrimitive, T) {
    let mut tensor = B::to_contiguous(tensor);
    if let Some(values) = B::values_mut(&mut tensor) {
        let given = update(values);
        return (tensor, given);
    }
    let mut values = B::values(&tensor).to_vec();
    let given = update(&mut values);
    (B::from_values(values, &[tensor.shape().num_elements()]), given)
}

/// The square root of the sum of squares, `[1]`.
pub(crate) fn l2_norm<B: NativeFloats>(tensor: B::FloatTensorPrimitive) -> B::FloatTensorPrimitive {
    let tensor = B::to_contiguous(tensor);
    B::from_values(vec![Engine::current().l2_norm(B::values(&tensor))], &[1])
}
