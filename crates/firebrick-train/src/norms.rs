//! How large each parameter and its gradient are: what a report of a diverged step shows.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_models::walk::{self, ParamRef, Visit};
use serde::{Serialize, Serializer};

/// L2 norms of one trainable parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterNorms {
    /// Its path, such as `conv1.weight`.
    pub name: String,
    /// Of its elements.
    #[serde(serialize_with = "number_or_name")]
    pub weight: f64,
    /// Of its gradient; 0 where there is none.
    #[serde(serialize_with = "number_or_name")]
    pub gradient: f64,
}

/// JSON has no NaN and no infinity: they become the words `NaN`, `inf`, `-inf`.
pub(crate) fn number_or_name<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.collect_str(value) }
}

/// The norms of every trainable parameter, in the model's order. Reads each back from the device, so
/// it is for the step that has gone wrong, not for every step.
pub fn parameter_norms<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<ParameterNorms> {
    let mut visitor = Visitor { gradients, found: Vec::new() };
    walk::visit(model, &mut visitor);
    visitor.found
}

struct Visitor<'a> {
    gradients: &'a GradientsParams,
    found: Vec<ParameterNorms>,
}

impl Visit for Visitor<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let gradient = self.gradients.get::<D>(param.id).map_or(0.0, |gradient| norm(gradient.inner()));
        let weight = norm(param.val().inner());
        self.found.push(ParameterNorms { name: at.path.clone(), weight, gradient });
    }
}

/// In f64, so that the squares of large finite numbers stay finite.
fn norm<const D: usize>(tensor: Tensor<D>) -> f64 {
    tensor.into_data().iter::<f64>().map(|value| value * value).sum::<f64>().sqrt()
}
