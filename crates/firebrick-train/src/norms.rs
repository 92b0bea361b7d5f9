//! How large each parameter and its gradient are: what a report of a diverged step shows.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_models::walk::{ParamRef, Visit, visit};
use serde::{Serialize, Serializer};

use crate::read_back::{DeviceError, read_back};

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
///
/// # Errors
///
/// [`DeviceError`] if the device will not give a tensor back.
pub fn parameter_norms<M: Module>(
    model: &M,
    gradients: &GradientsParams,
) -> Result<Vec<ParameterNorms>, DeviceError> {
    let mut norms = Norms { gradients, found: Ok(Vec::new()) };
    visit(model, &mut norms);
    norms.found
}

struct Norms<'a> {
    gradients: &'a GradientsParams,
    /// The norms so far, or the first error.
    found: Result<Vec<ParameterNorms>, DeviceError>,
}

impl Visit for Norms<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, param: &Param<Tensor<D>>) {
        let Ok(found) = &mut self.found else { return };
        if !param.is_require_grad() {
            return;
        }
        let gradient = self.gradients.get::<D>(param.id).map(|gradient| gradient.inner());
        match norms(&at.path, param.val().inner(), gradient) {
            Ok(norms) => found.push(norms),
            Err(error) => self.found = Err(error),
        }
    }
}

fn norms<const D: usize>(
    path: &str,
    weight: Tensor<D>,
    gradient: Option<Tensor<D>>,
) -> Result<ParameterNorms, DeviceError> {
    let gradient = gradient.map(|gradient| norm(gradient, &format!("the gradient of {path}"))).transpose()?;
    Ok(ParameterNorms {
        name: path.to_owned(),
        weight: norm(weight, path)?,
        // The loss does not depend on a parameter without a gradient.
        gradient: gradient.unwrap_or(0.0),
    })
}

/// In f64, so that the squares of large finite numbers stay finite.
fn norm<const D: usize>(tensor: Tensor<D>, what: &str) -> Result<f64, DeviceError> {
    Ok(read_back(tensor, what)?.iter::<f64>().map(|value| value * value).sum::<f64>().sqrt())
}
