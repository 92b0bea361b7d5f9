//! What `torch.save` writes: a state dict, a checkpoint that holds one or several, or a whole saved module.
//!
//! The pickle is interpreted by `pytorch-reader`, which knows tensors, dictionaries and numbers and
//! calls nothing.

mod container;
mod pickle_scan;

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use burn_store::pytorch_reader::{PickleValue, PytorchError, PytorchReader, Tensor};

use self::pickle_scan::PickleScan;
use super::error::WeightsError;
use super::file::{FileTensor, Layout, WeightsFile, file_length, malformed};
use super::format::WeightsFormat;
use super::order::sort_naturally;

/// How deep a network may lie in the dictionaries of a checkpoint.
const MAX_PART_DEPTH: usize = 3;
/// The most dictionaries of a checkpoint that are looked at as a network.
const MAX_PARTS: usize = 64;

pub(crate) fn open(path: &Path) -> Result<WeightsFile, WeightsError> {
    file_length(path)?;
    let scan = container::scan(path).map_err(|reason| malformed(path, WeightsFormat::Pytorch, reason))?;
    let damaged = |error: PytorchError| match error {
        PytorchError::Io(source) if source.raw_os_error().is_some() => {
            WeightsError::Read { path: path.to_owned(), source }
        }
        other => malformed(path, WeightsFormat::Pytorch, other),
    };
    let root = PytorchReader::read_pickle_data(path, None).map_err(damaged)?;
    let contents = Contents::of(&root);
    let mut by_name = PytorchReader::new(path).map_err(damaged)?.into_tensors();
    let tensors = layer_order(&contents.tensors, &scan)
        .into_iter()
        .filter_map(|name| by_name.remove(&name).map(|tensor| file_tensor(name, tensor)))
        .collect();
    Ok(WeightsFile {
        path: path.to_owned(),
        format: WeightsFormat::Pytorch,
        layout: Layout::Torch,
        tensors,
        parts: contents.parts,
        optimizers: contents.optimizers,
        keys: contents.keys,
        ignored: Vec::new(),
        choice: None,
    })
}

/// One step on the way to a tensor.
#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// What the dictionaries of a file hold.
#[derive(Default)]
struct Contents {
    /// The way to each tensor that may be a weight.
    tensors: Vec<Vec<Step>>,
    /// Dictionaries below the outermost one that hold tensors.
    parts: Vec<String>,
    /// Dictionaries that are an optimiser's state.
    optimizers: Vec<String>,
    /// The keys of the outermost dictionary, sorted.
    keys: Vec<String>,
}

impl Contents {
    fn of(root: &PickleValue) -> Self {
        let mut contents = Self::default();
        if let PickleValue::Dict(entries) = root {
            contents.keys = entries.keys().cloned().collect();
            contents.keys.sort();
        }
        contents.walk(root, &mut Vec::new());
        contents.parts.sort_by_key(|key| (key.matches('.').count(), key.clone()));
        contents.parts.truncate(MAX_PARTS);
        contents.optimizers.sort();
        contents
    }

    fn walk(&mut self, value: &PickleValue, path: &mut Vec<Step>) {
        match value {
            PickleValue::Dict(entries) => {
                if is_optimizer(entries, path) {
                    self.optimizers.push(joined(path));
                    return;
                }
                let before = self.tensors.len();
                for (key, value) in entries {
                    path.push(Step::Key(key.clone()));
                    self.walk(value, path);
                    path.pop();
                }
                if self.tensors.len() > before && (1..=MAX_PART_DEPTH).contains(&path.len()) {
                    self.parts.push(joined(path));
                }
            }
            PickleValue::List(items) => {
                for (index, value) in items.iter().enumerate() {
                    path.push(Step::Index(index));
                    self.walk(value, path);
                    path.pop();
                }
            }
            // A tensor itself is a value that the pickle cannot name.
            PickleValue::Unsupported(python_type) if python_type == "torch.Tensor" => {
                self.tensors.push(path.clone());
            }
            _ => {}
        }
    }
}

/// True for what `Optimizer.state_dict()` gives, and for a dictionary whose key says that it is one.
fn is_optimizer(entries: &HashMap<String, PickleValue>, path: &[Step]) -> bool {
    let says_so = |step: &Step| matches!(step, Step::Key(key) if key.to_lowercase().contains("optim"));
    let has_its_keys = entries.contains_key("state") && entries.contains_key("param_groups");
    has_its_keys || path.last().is_some_and(says_so)
}

/// The name under which the reader lists a tensor.
fn joined(path: &[Step]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}

fn file_tensor(name: String, tensor: Tensor) -> FileTensor {
    use burn::tensor::DType;
    use burn_store::pytorch_reader::DType as Torch;
    let dtype = match tensor.dtype() {
        Torch::F32 => Some(DType::F32),
        Torch::F16 => Some(DType::F16),
        Torch::BF16 => Some(DType::BF16),
        Torch::F64 => Some(DType::F64),
        _ => None,
    };
    FileTensor {
        name,
        shape: tensor.shape().to_vec(),
        dtype,
        dtype_name: format!("{:?}", tensor.dtype()).to_lowercase(),
        read: Rc::new(move || tensor.read().map_err(|error| error.to_string())),
    }
}

/// The names of the tensors in the order in which the dictionaries were filled, which is the order of the network's
/// layers. The reader gives hash maps, so the keys are looked up in the pickle; natural order where they are not all
/// there.
fn layer_order(paths: &[Vec<Step>], scan: &PickleScan) -> Vec<String> {
    let place = |step: &Step| match step {
        Step::Key(key) => scan.position(key),
        Step::Index(index) => Some(*index),
    };
    let named = |path: &Vec<Step>| {
        let places: Option<Vec<usize>> = path.iter().map(place).collect();
        places.map(|places| (places, joined(path)))
    };
    match paths.iter().map(named).collect::<Option<Vec<_>>>() {
        Some(mut names) => {
            names.sort();
            names.into_iter().map(|(_, name)| name).collect()
        }
        None => sort_naturally(paths.iter().map(|path| joined(path)).collect()),
    }
}
