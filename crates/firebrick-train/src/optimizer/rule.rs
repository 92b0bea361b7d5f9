//! What one optimiser does to one parameter, and the few tensor formulas that they share.
//!
//! Rules see parameters flattened to one dimension, so that they are object-safe; [`Location`]
//! gives the original shape to those that care. All hyper-parameters are f64 and are rounded to the
//! tensor's type only where they meet a tensor, which is what torch does.

use std::fmt::Debug;

use burn::tensor::{Device, Tensor};
use firebrick_kernels::scaled_sum;

use super::path::Location;

/// What a parameter's rule remembers from step to step.
#[derive(Default)]
pub(crate) struct Memory {
    /// Updates done, this one included: torch's `step`.
    pub num_steps: u64,
    /// In the order of one of [`Rule::tensor_layouts`]; empty before the first update.
    pub tensors: Vec<Tensor<1>>,
    /// In the order of [`Rule::scalar_names`]; empty before the first update.
    pub scalars: Vec<f64>,
}

impl Memory {
    /// Moves the tensors out, so that updating them may reuse their storage; makes them with
    /// `initial` on the first update. Put them back with [`put`](Self::put).
    pub(crate) fn take<const N: usize>(&mut self, initial: impl Fn() -> Tensor<1>) -> [Tensor<1>; N] {
        let stored = std::mem::take(&mut self.tensors);
        stored.try_into().unwrap_or_else(|_| std::array::from_fn(|_| initial()))
    }

    /// Moves the tensors to the parameter's device, where they are not there already.
    pub(crate) fn follow(&mut self, device: &Device) {
        if self.tensors.first().is_some_and(|tensor| tensor.device() != *device) {
            let moved = self.tensors.drain(..).map(|tensor| tensor.to_device(device)).collect();
            self.tensors = moved;
        }
    }

    pub(crate) fn put<const N: usize>(&mut self, tensors: [Tensor<1>; N]) {
        self.tensors = tensors.into();
    }
}

/// The sets of tensors that a rule may have written; no two are of the same length.
pub(crate) type Layouts = &'static [&'static [&'static str]];

/// What holds for one parameter in one step.
pub(crate) struct StepContext<'a> {
    /// The learning rate, after the schedule.
    pub lr: f64,
    /// Momentum, or `betas[0]`, where a schedule cycles it.
    pub momentum: Option<f64>,
    pub location: &'a Location,
}

impl StepContext<'_> {
    pub(crate) fn momentum_or(&self, own: f64) -> f64 {
        self.momentum.unwrap_or(own)
    }
}

/// One optimiser's update of one parameter.
pub(crate) trait Rule: Debug + Send + Sync {
    /// Names of the tensors that it remembers; torch's, where torch has the optimiser.
    fn tensor_layouts(&self) -> Layouts;

    /// Names of the numbers that it remembers beside the step count.
    fn scalar_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The parameter after one step.
    ///
    /// # Shapes
    /// `parameter`, `gradient`, the result and every tensor of `memory`: the flattened parameter.
    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1>;
}

/// `maximize` turns the gradient round before anything else sees it.
pub(crate) fn directed(gradient: Tensor<1>, maximize: bool) -> Tensor<1> {
    if maximize { gradient.neg() } else { gradient }
}

/// L2 penalty: `gradient + weight_decay * parameter`.
pub(crate) fn with_l2(gradient: Tensor<1>, parameter: &Tensor<1>, weight_decay: f64) -> Tensor<1> {
    if weight_decay == 0.0 {
        return gradient;
    }
    scaled_sum(gradient, 1.0, parameter.clone(), weight_decay)
}

/// Decoupled decay: `parameter * (1 - lr * weight_decay)`.
pub(crate) fn decayed(parameter: Tensor<1>, lr: f64, weight_decay: f64) -> Tensor<1> {
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
pub(crate) fn mean_square(average: Tensor<1>, value: &Tensor<1>, decay: f64) -> Tensor<1> {
    let square = value.clone().mul_scalar(1.0 - decay).mul(value.clone());
    average.mul_scalar(decay).add(square)
}

/// `parameter - scale * numerator / denominator`.
pub(crate) fn minus_quotient(
    parameter: Tensor<1>,
    numerator: Tensor<1>,
    denominator: Tensor<1>,
    scale: f64,
) -> Tensor<1> {
    parameter.sub(numerator.mul_scalar(scale).div(denominator))
}

/// `1 - beta ^ num_steps`.
pub(crate) fn bias_correction(beta: f64, num_steps: u64) -> f64 {
    1.0 - beta.powf(num_steps as f64)
}
