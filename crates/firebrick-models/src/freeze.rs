//! Which parameters training leaves alone.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::walk::{Change, ParamRef, Role, change};

/// `model` in training with the parameters for which `is_frozen` says yes requiring no gradient, and all others requiring one:
/// no gradient is computed for frozen ones, and no optimiser moves them. A
/// [`BatchNorm2d`](crate::layer::BatchNorm2d) whose parameters are all frozen keeps its running statistics and normalises by
/// them.
///
/// `is_frozen` is asked for each parameter by its path, `layer1.0.conv1.weight`, and not for running statistics.
///
/// # Source
///
/// `torch.nn.Module.requires_grad_`, and `eval()` on the frozen normalisation layers.
#[must_use]
pub fn freeze<M: Module>(model: M, is_frozen: impl Fn(&str) -> bool) -> M {
    change(model, &mut Freeze(is_frozen))
}

struct Freeze<F>(F);

impl<F: Fn(&str) -> bool> Change for Freeze<F> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match at.role {
            Role::Buffer => parameter,
            _ => parameter.set_require_grad(!(self.0)(&at.path)),
        }
    }
}
