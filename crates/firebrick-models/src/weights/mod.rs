//! Weights in (`.safetensors`, `.pt`, `.bpk`) and out (`.safetensors`).
//!
//! Loading has five steps, one file each: `open` opens a container and lists its tensors
//! without reading them; `select` finds the network among what else a checkpoint holds; `matching` decides which tensor is which parameter; `apply` reads exactly
//! those and puts them into the model; `report` says what went where. A pickle is parsed, never
//! executed.

mod apply;
mod burnpack;
mod described;
mod error;
mod file;
mod format;
mod head;
mod layers;
mod matching;
mod names;
mod old_names;
mod open;
mod order;
mod prefix;
mod pytorch;
mod report;
mod safetensors;
mod save;
mod select;
mod targets;

use std::path::Path;

use crate::classifier::ImageClassifier;

pub use crate::parameters::{NamedParameter, ParameterInfo, named_parameters, parameter_infos};
pub use described::{MatchedBy, Misshapen, Mistyped, NamedShape};
pub use error::{Mismatch, WeightsError};
pub use file::Choice;
pub use format::WeightsFormat;
pub use head::classes_in_file;
pub use matching::LoadOptions;
pub use names::{NameStyle, UnknownNameStyle, parameter_names};
pub use report::{Assignment, LoadReport};
pub use save::save_safetensors;

/// Puts the weights of a file into `model`.
///
/// Names are tried in this order: the model's own (`conv1.weight`) and the indices of the same
/// network as `nn.Sequential` (`0.weight`), either behind any common prefix (`module.`, `model1.`,
/// `model1.0.weight`); then, if the names are nobody's, the order and shape of the file's layers. Names of published
/// files that are older than today's (DenseNet's `norm.1`) count as today's. The file's contents say which format it is
/// in, not its name. A checkpoint of PyTorch may hold more than the network: the dictionary in it that fits best is
/// taken, an optimiser's state never. Where several fit equally well, one under `state_dict`, `model_state_dict` or
/// `model` is taken, and otherwise `options.key` has to say which. A last layer for another number of classes is left out of
/// the file and stays fresh; the report says so. f16, bf16 and f64 become f32. Parameters keep their
/// identity and device.
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
    let file = open::open(path)?;
    let targets = targets::Targets::of(&model, file.layout);
    let (file, plan) = select::select(file, &targets, options)?;
    apply::apply(model, &file, plan)
}

/// Names and shapes of the tensors in a file of weights; no values are read. A linear layer's weight is `[out, in]` but in a
/// `.bpk`.
///
/// # Errors
///
/// [`WeightsError`]: the file cannot be read or is damaged.
pub fn tensors(path: &Path) -> Result<Vec<NamedShape>, WeightsError> {
    let file = open::open(path)?;
    let described = |tensor: file::FileTensor| NamedShape { name: tensor.name, shape: tensor.shape };
    Ok(file.tensors.into_iter().map(described).collect())
}
