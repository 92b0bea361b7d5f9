//! Formulas of optimisers on a CPU backend's tensors.

use burn::backend::TensorMetadata;

use super::NativeFloats;
use crate::cpu::Engine;

/// `a * alpha + b * beta`; the callers have checked shapes and types.
pub(crate) fn run_scaled_sum<B: NativeFloats>(
    a: B::FloatTensorPrimitive,
    b: B::FloatTensorPrimitive,
    [alpha, beta]: [f32; 2],
) -> B::FloatTensorPrimitive {
    let engine = Engine::current();
    let (mut a, b) = (B::to_contiguous(a), B::to_contiguous(b));
    if let Some(values) = B::values_mut(&mut a) {
        engine.scaled_sum(values, alpha, B::values(&b), beta);
        return a;
    }
    let mut values = B::values(&a).to_vec();
    engine.scaled_sum(&mut values, alpha, B::values(&b), beta);
    B::from_values(values, &[a.shape().num_elements()])
}

/// The square root of the sum of squares, `[1]`.
pub(crate) fn run_l2_norm<B: NativeFloats>(tensor: B::FloatTensorPrimitive) -> B::FloatTensorPrimitive {
    let tensor = B::to_contiguous(tensor);
    B::from_values(vec![Engine::current().l2_norm(B::values(&tensor))], &[1])
}
