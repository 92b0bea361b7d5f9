//! Activation functions on Burn's tensors, with torch's gradients also where a function has a kink: chooses between the
//! kernels and Burn's own operations.

use burn::tensor::activation::{relu as burn_relu, sigmoid as burn_sigmoid};
use burn::tensor::{DType, Tensor};

use crate::backend::Native;
use crate::cpu::Activation;

/// `max(x, 0)`; the gradient is 0 at 0.
///
/// # Shapes
/// Any; the result has the input's. So do all functions of this module.
///
/// # Source
/// `torch.nn.functional.relu`.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Relu)
}

/// `min(max(x, 0), 6)`; the gradient is 0 at 0 and at 6, as torch has it.
///
/// # Source
/// `torch.nn.functional.relu6`.
pub fn relu6<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Relu6)
}

/// `min(max(x + 3, 0), 6) / 6`; the gradient is 0 at -3 and at 3.
///
/// # Source
/// `torch.nn.functional.hardsigmoid`.
pub fn hardsigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Hardsigmoid)
}

/// `x * hardsigmoid(x)`; the gradient is 0 at -3 and 1 at 3.
///
/// # Source
/// `torch.nn.functional.hardswish`.
pub fn hardswish<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Hardswish)
}

/// `1 / (1 + exp(-x))`.
///
/// # Source
/// `torch.sigmoid`.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Sigmoid)
}

/// `x * sigmoid(x)`.
///
/// # Source
/// `torch.nn.functional.silu`.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Silu)
}

/// `x * (1 + erf(x / sqrt(2))) / 2`, and that function's own derivative: Burn's `gelu` has another one's, that of the
/// approximation by the hyperbolic tangent.
///
/// # Source
/// `torch.nn.functional.gelu(approximate="none")`.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activate(x, Activation::Gelu)
}

/// The function of every value.
pub(crate) fn activate<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    if activation == Activation::None {
        return x;
    }
    match Native::of(&x.device()) {
        Some(native) if x.dtype() == DType::F32 => native.activation(x, activation),
        _ => activate_with_burn(x, activation),
    }
}

/// The same by Burn's own operations.
pub(crate) fn activate_with_burn<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    let times = |factor: fn(Tensor<D>) -> Tensor<D>| x.clone() * factor(x.clone());
    match activation {
        Activation::None => x,
        Activation::Relu => burn_relu(x),
        Activation::Relu6 => between(x, 0.0, 6.0, 0.0, 6.0, |x| x),
        Activation::Hardsigmoid => burn_hardsigmoid(x),
        Activation::Hardswish => times(burn_hardsigmoid),
        Activation::Sigmoid => burn_sigmoid(x),
        Activation::Silu => times(burn_sigmoid),
        Activation::Gelu => times(|x| ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5),
    }
}

/// [`hardsigmoid`] by Burn's own operations.
fn burn_hardsigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    between(x, -3.0, 3.0, 0.0, 1.0, |x| (x + 3.0) / 6.0)
}

/// `inner(x)` between `low` and `high`, `below` and `above` elsewhere, where the gradient is 0.
fn between<const D: usize>(
    x: Tensor<D>,
    low: f64,
    high: f64,
    below: f64,
    above: f64,
    inner: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    let is_low = x.clone().lower_equal_elem(low);
    let is_high = x.clone().greater_equal_elem(high);
    inner(x).mask_fill(is_low, below).mask_fill(is_high, above)
}
