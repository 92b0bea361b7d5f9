//! Weights in (`.safetensors`, `.pt`, `.bpk`) and out (`.safetensors`).
//!
//! Loading has four steps, one file each: [`file`](self) opens a container and lists its tensors
//! without reading them; `matching` decides which tensor is which parameter; `apply` reads exactly
//! those and puts them into the model; `report` says what went where. A pickle is parsed, never
//! executed.

mod apply;
mod burnpack;
mod error;
mod file;
mod layers;
mod matching;
mod names;
mod order;
mod prefix;
mod pytorch;
mod report;
mod safetensors;
mod save;

use std::path::Path;

use crate::classifier::ImageClassifier;

pub use crate::parameters::{NamedParameter, ParameterInfo, named_parameters, parameter_infos};
pub use error::{Mismatch, Misshapen, Mistyped, NamedShape, WeightsError};
pub use file::WeightsFormat;
pub use names::{NameStyle, UnknownNameStyle, parameter_names};
pub use report::{Assignment, LoadReport, MatchedBy};
pub use save::save_safetensors;

/// How forgiving [`load`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// `true`: every parameter must be in the file and every tensor of the file in the model.
    /// `false`: a parameter that is missing, and a head for another class count, keep the values
    /// they have; extra tensors are left out. The report says which. A tensor of a wrong shape
    /// anywhere but in the head stays an error, as in torch.
    pub strict: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { strict: true }
    }
}

/// Puts the weights of a file into `model`.
///
/// Names are tried in this order: the model's own (`conv1.weight`) and the indices of the same
/// network as `nn.Sequential` (`0.weight`), either behind any common prefix (`module.`, `model1.`,
/// `model1.0.weight`); then, if the names are nobody's, the order and shape of the file's layers. A
/// `.pt` may be a state dict or a checkpoint that holds one under `state_dict`, `model_state_dict`
/// or `model`. f16, bf16 and f64 become f32. Parameters keep their identity and device.
///
/// # Errors
///
/// [`WeightsError`]: the file cannot be read, is damaged, or does not fit; one error lists every
/// missing, extra and misshapen tensor. `model` is consumed, so a caller that wants to go on without
/// the weights passes a clone.
pub fn load<M: ImageClassifier>(
    model: M,
    path: &Path,
    options: LoadOptions,
) -> Result<(M, LoadReport), WeightsError> {
    let file = file::open(path)?;
    let targets = matching::Targets::of(&model, file.layout);
    let plan = matching::match_tensors(&file, &targets, options)?;
    apply::apply(model, &file, plan)
}
