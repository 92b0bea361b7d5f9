//! `.pt` and `.pth`: a state dict, a checkpoint that holds one, or a whole saved module.
//!
//! The pickle is interpreted by `pytorch-reader`, which knows tensors, dictionaries and numbers and
//! calls nothing.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use burn_store::pytorch_reader::{PickleValue, PytorchError, PytorchReader, Tensor};

use super::error::WeightsError;
use super::file::{FileTensor, Layout, WeightsFile, file_length, malformed};
use super::format::WeightsFormat;
use super::order::sort_naturally;

/// Keys under which training scripts put the state dict, the likeliest first.
const STATE_DICT_KEYS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// How far into the file the pickle's keys are looked for; it comes first and is small.
const KEY_SEARCH_BYTES: u64 = 1 << 20;

pub(crate) fn open(path: &Path) -> Result<WeightsFile, WeightsError> {
    file_length(path)?;
    let damaged = |error: PytorchError| match error {
        PytorchError::Io(source) if source.raw_os_error().is_some() => {
            WeightsError::Read { path: path.to_owned(), source }
        }
        other => malformed(path, WeightsFormat::Pytorch, other),
    };
    let root = PytorchReader::read_pickle_data(path, None).map_err(damaged)?;
    let (key, ignored) = locate_state_dict(&root);
    let reader = match key {
        Some(key) => PytorchReader::with_top_level_key(path, key),
        None => PytorchReader::new(path),
    }
    .map_err(damaged)?;
    let mut by_name = reader.into_tensors();
    let tensors = layer_order(path, by_name.keys().cloned().collect())
        .into_iter()
        .filter_map(|name| by_name.remove(&name).map(|tensor| file_tensor(name, tensor)))
        .collect();
    Ok(WeightsFile {
        path: path.to_owned(),
        format: WeightsFormat::Pytorch,
        layout: Layout::Torch,
        tensors,
        ignored,
    })
}

/// The key of the state dict inside a checkpoint, and what else the checkpoint holds.
fn locate_state_dict(root: &PickleValue) -> (Option<&'static str>, Vec<String>) {
    let PickleValue::Dict(entries) = root else {
        return (None, Vec::new());
    };
    let holds_tensors = |key: &&&str| entries.get(**key).is_some_and(has_tensor);
    let Some(key) = STATE_DICT_KEYS.iter().find(holds_tensors) else {
        return (None, Vec::new());
    };
    let mut others: Vec<String> = entries.keys().filter(|k| k != key).cloned().collect();
    others.sort();
    (Some(key), others)
}

/// True for a dictionary with a tensor in it; a tensor itself is a value the pickle cannot name.
fn has_tensor(value: &PickleValue) -> bool {
    match value {
        PickleValue::Dict(entries) => entries.values().any(|value| {
            has_tensor(value)
                || matches!(value, PickleValue::Unsupported(python_type) if python_type == "torch.Tensor")
        }),
        _ => false,
    }
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
        read: Box::new(move || tensor.read().map_err(|error| error.to_string())),
    }
}

/// The order in which the dictionary was filled, which is the order of the network's layers. The
/// reader gives a hash map, so the keys are looked up in the pickle's bytes; natural order otherwise.
fn layer_order(path: &Path, names: Vec<String>) -> Vec<String> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(KEY_SEARCH_BYTES).read_to_end(&mut head));
    let positions = match read {
        Ok(_) => key_positions(&head, &names),
        Err(_) => HashMap::new(),
    };
    if positions.len() != names.len() {
        return sort_naturally(names);
    }
    let mut names = names;
    names.sort_by_key(|name| positions.get(name).copied());
    names
}

/// Where each name first stands as a pickled string: `X` and a 4-byte length (protocols 1 to 3), or
/// 0x8c and a 1-byte length (protocol 4 on).
fn key_positions(head: &[u8], names: &[String]) -> HashMap<String, usize> {
    let wanted: HashMap<&[u8], &String> = names.iter().map(|n| (n.as_bytes(), n)).collect();
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let mut positions = HashMap::new();
    for position in 0..head.len() {
        let key = pickled_string(&head[position..], longest).and_then(|key| wanted.get(key));
        if let Some(name) = key {
            positions.entry((*name).clone()).or_insert(position);
        }
    }
    positions
}

fn pickled_string(bytes: &[u8], longest: usize) -> Option<&[u8]> {
    let (length, start) = match bytes {
        [b'X', a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 5),
        [0x8c, length, ..] => (usize::from(*length), 2),
        _ => return None,
    };
    if length > longest {
        return None;
    }
    bytes.get(start..start + length)
}
