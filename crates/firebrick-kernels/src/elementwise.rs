//! Activation functions on Burn's tensors, with torch's gradients also where a function has a kink.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

/// `min(max(x, 0), 6)`; the gradient is 0 at 0 and at 6, as torch has it.
///
/// # Shapes
/// Any; the result has the input's. So do all functions of this module.
///
/// # Source
/// `torch.nn.functional.relu6`.
pub fn relu6<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    between(x, 0.0, 6.0, 0.0, 6.0, |x| x)
}

/// `min(max(x + 3, 0), 6) / 6`; the gradient is 0 at -3 and at 3.
///
/// # Source
/// `torch.nn.functional.hardsigmoid`.
pub fn hardsigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    between(x, -3.0, 3.0, 0.0, 1.0, |x| (x + 3.0) / 6.0)
}

/// `x * hardsigmoid(x)`; the gradient is 0 at -3 and 1 at 3.
///
/// # Source
/// `torch.nn.functional.hardswish`.
pub fn hardswish<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * hardsigmoid(x)
}

/// `x * sigmoid(x)`.
///
/// # Source
/// `torch.nn.functional.silu`.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * sigmoid(x)
}

/// `x * (1 + erf(x / sqrt(2))) / 2`, and that function's own derivative: Burn's `gelu` has another one's, that of the
/// approximation by the hyperbolic tangent.
///
/// # Source
/// `torch.nn.functional.gelu(approximate="none")`.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let probability = ((x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    x * probability
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
