//! Tensor formulas that several optimisers share.

use burn::tensor::Tensor;
use firebrick_kernels::scaled_sum;

/// `maximize` turns the gradient round before anything else sees it.
pub(super) fn directed(gradient: Tensor<1>, maximize: bool) -> Tensor<1> {
    if maximize { gradient.neg() } else { gradient }
}

/// L2 penalty: `gradient + weight_decay * parameter`.
pub(super) fn with_l2(gradient: Tensor<1>, parameter: &Tensor<1>, weight_decay: f64) -> Tensor<1> {
    if weight_decay == 0.0 {
        return gradient;
    }
    scaled_sum(gradient, 1.0, parameter.clone(), weight_decay)
}

/// Decoupled decay: `parameter * (1 - lr * weight_decay)`.
pub(super) fn decayed(parameter: Tensor<1>, lr: f64, weight_decay: f64) -> Tensor<1> {
    if weight_decay == 0.0 {
        return parameter;
    }
    parameter.mul_scalar(1.0 - lr * weight_decay)
}

/// torch's `lerp`: its formula changes sides at one half, and the last digits with it.
pub(crate) fn lerp(start: Tensor<1>, end: Tensor<1>, weight: f64) -> Tensor<1> {
    if weight < 0.5 {
        let difference = end.sub(start.clone());
        start.add(difference.mul_scalar(weight))
    } else {
        let difference = end.clone().sub(start);
        end.sub(difference.mul_scalar(1.0 - weight))
    }
}

/// `average * decay + (1 - decay) * value * value`.
pub(super) fn mean_square(average: Tensor<1>, value: &Tensor<1>, decay: f64) -> Tensor<1> {
    let square = value.clone().mul_scalar(1.0 - decay).mul(value.clone());
    average.mul_scalar(decay).add(square)
}

/// `parameter - scale * numerator / denominator`.
pub(super) fn minus_quotient(
    parameter: Tensor<1>,
    numerator: Tensor<1>,
    denominator: Tensor<1>,
    scale: f64,
) -> Tensor<1> {
    parameter.sub(numerator.mul_scalar(scale).div(denominator))
}

/// `1 - beta ^ num_steps`.
pub(super) fn bias_correction(beta: f64, num_steps: u64) -> f64 {
    1.0 - beta.powf(num_steps as f64)
}
