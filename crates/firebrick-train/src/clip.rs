//! Clipping gradients, by their common norm or one by one.
//!
//! Burn's own clipping takes each tensor's norm by itself; torch's takes one norm over all of them,
//! and so does this. Nothing is read back from the device: the norm comes back as a tensor that a
//! caller may read when it synchronises anyway.
//!
//! # Source
//! `torch.nn.utils.clip_grad_norm_`, `torch.nn.utils.clip_grad_value_`; Pascanu et al.,
//! <https://arxiv.org/abs/1211.5063>.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Bool, Tensor};
use firebrick_component::{ArgumentError, check};
use firebrick_models::walk::{ParamRef, Visit, visit};

/// Keeps the division by the norm away from zero.
const NORM_EPS: f64 = 1e-6;

/// Checks `max_norm` and `norm_type` of [`clip_grad_norm`].
///
/// # Errors
/// `max_norm` must be finite and not negative, `norm_type` greater than zero (`inf` is the largest
/// absolute value).
pub fn validate_norm(max_norm: f64, norm_type: f64) -> Result<(), ArgumentError> {
    check::non_negative("max_norm", max_norm)?;
    check::that(norm_type > 0.0, "norm_type", norm_type, "a number > 0, or inf")
}

/// Checks `clip_value` of [`clip_grad_value`].
///
/// # Errors
/// `clip_value` must be finite and not negative.
pub fn validate_value(clip_value: f64) -> Result<(), ArgumentError> {
    check::non_negative("clip_value", clip_value)
}

/// The norm of all gradients of `model` as if they were one vector; `None` if there are none.
///
/// # Shapes
/// The norm: `[1]`, on the device of the first gradient.
pub fn grad_norm<M: Module>(model: &M, gradients: &GradientsParams, norm_type: f64) -> Option<Tensor<1>> {
    let mut norms = Norms { gradients, norm_type, found: Vec::new() };
    visit(model, &mut norms);
    let device = norms.found.first()?.device();
    let found = norms.found.into_iter().map(|norm| norm.to_device(&device)).collect();
    Some(vector_norm(Tensor::cat(found, 0), norm_type))
}

/// Scales all gradients by one factor so that their common norm is at most `max_norm`; smaller
/// ones stay as they are. Gives the norm before that, `None` if there are no gradients.
///
/// A norm that is not finite spoils every gradient, as in torch with its
/// `error_if_nonfinite = False`: check the norm, or the loss, before stepping.
///
/// # Shapes
/// The norm: `[1]`.
pub fn clip_grad_norm<M: Module>(
    model: &M,
    gradients: GradientsParams,
    max_norm: f64,
    norm_type: f64,
) -> (GradientsParams, Option<Tensor<1>>) {
    let Some(norm) = grad_norm(model, &gradients, norm_type) else { return (gradients, None) };
    (scale_to_norm(model, gradients, norm.clone(), max_norm), Some(norm))
}

/// The second half of [`clip_grad_norm`], for gradients whose `norm` (`[1]`) is known.
pub(crate) fn scale_to_norm<M: Module>(
    model: &M,
    gradients: GradientsParams,
    norm: Tensor<1>,
    max_norm: f64,
) -> GradientsParams {
    let factor = clip_factor(norm, max_norm);
    map_gradients(model, gradients, |flat| {
        let factor = factor.clone().to_device(&flat.device());
        flat.mul(factor)
    })
}

/// Limits every element of every gradient to `-clip_value ..= clip_value`.
pub fn clip_grad_value<M: Module>(model: &M, gradients: GradientsParams, clip_value: f64) -> GradientsParams {
    map_gradients(model, gradients, |flat| clamp(flat, clip_value))
}

/// `min(max_norm / (norm + 1e-6), 1)`, where NaN stays NaN on every backend.
fn clip_factor(norm: Tensor<1>, max_norm: f64) -> Tensor<1> {
    let factor = norm.add_scalar(NORM_EPS).recip().mul_scalar(max_norm);
    let is_above_one: Tensor<1, Bool> = factor.clone().greater_scalar(1.0);
    factor.mask_fill(is_above_one, 1.0)
}

/// Like `clamp`, but NaN stays NaN on every backend.
fn clamp(flat: Tensor<1>, limit: f64) -> Tensor<1> {
    let is_above = flat.clone().greater_scalar(limit);
    let is_below = flat.clone().lower_scalar(-limit);
    flat.mask_fill(is_above, limit).mask_fill(is_below, -limit)
}

fn vector_norm<const D: usize>(values: Tensor<D>, norm_type: f64) -> Tensor<1> {
    if norm_type == 2.0 {
        return firebrick_kernels::l2_norm(values);
    }
    let flat = firebrick_kernels::flattened(values);
    if norm_type == f64::INFINITY {
        flat.max_abs()
    } else if norm_type == 1.0 {
        flat.abs().sum()
    } else {
        flat.abs().powf_scalar(norm_type).sum().powf_scalar(1.0 / norm_type)
    }
}

/// Collects each gradient's own norm.
struct Norms<'a> {
    gradients: &'a GradientsParams,
    norm_type: f64,
    found: Vec<Tensor<1>>,
}

impl Visit for Norms<'_> {
    fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.found.push(vector_norm(gradient.inner(), self.norm_type));
        }
    }
}

/// Changes every gradient of `model`.
///
/// # Shapes
/// `change` gets and gives a flattened gradient.
pub(crate) fn map_gradients<M: Module>(
    model: &M,
    gradients: GradientsParams,
    change: impl Fn(Tensor<1>) -> Tensor<1>,
) -> GradientsParams {
    let mut map = Map { old: gradients, new: GradientsParams::new(), change };
    visit(model, &mut map);
    map.new
}

struct Map<F> {
    old: GradientsParams,
    new: GradientsParams,
    change: F,
}

impl<F: Fn(Tensor<1>) -> Tensor<1>> Visit for Map<F> {
    fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.old.remove::<D>(param.id) {
            let shape = gradient.dims();
            let changed = (self.change)(gradient.inner().reshape([-1]));
            self.new.register(param.id, changed.reshape(shape));
        }
    }
}
