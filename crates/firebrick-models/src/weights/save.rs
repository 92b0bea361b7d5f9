//! `.safetensors` for PyTorch: torch's layout, the names that the other side uses, and what it
//! needs to know beside the weights.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::error::WeightsError;
use super::names::{NameStyle, parameter_names};
use super::targets::BATCH_NORM_COUNTER;
use crate::classifier::ImageClassifier;
use crate::parameters::named_parameters;

/// The header's length is a multiple of this, so that the data is aligned.
const ALIGNMENT: usize = 8;

/// Writes the weights of `model` to `path`, replacing what is there in one step.
///
/// Tensors are f32 in the model's order, with a counter of 0 for each BatchNorm, which torch expects;
/// `metadata` becomes the file's string-to-string metadata, to which `format = "pt"` is added, as other
/// tools expect of torch's layout. The same weights and metadata give the same bytes.
///
/// # Errors
///
/// [`WeightsError::Storage`] if the file cannot be written; nothing, or the old file, is there then.
pub fn save_safetensors<M: ImageClassifier>(
    model: &M,
    path: &Path,
    names: NameStyle,
    metadata: &BTreeMap<String, String>,
) -> Result<(), WeightsError> {
    let bytes = to_safetensors(model, names, metadata)
        .map_err(|reason| WeightsError::Encode { path: path.to_owned(), reason })?;
    firebrick_storage::write_atomic(path, &bytes)?;
    Ok(())
}

fn to_safetensors<M: ImageClassifier>(
    model: &M,
    names: NameStyle,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, String> {
    let parameters = named_parameters(model);
    let names = parameter_names(model, names);
    let mut data = Vec::new();
    let mut tensors = Vec::new();
    // First, because readers want eight-byte numbers at multiples of eight bytes.
    for name in counter_names(&names) {
        let start = data.len();
        data.extend_from_slice(&0_i64.to_le_bytes());
        let data_offsets = (start, data.len());
        tensors.push((name, TensorInfo { dtype: Dtype::I64, shape: Vec::new(), data_offsets }));
    }
    for (name, parameter) in names.into_iter().zip(&parameters) {
        let start = data.len();
        let values = parameter.data.as_slice::<f32>();
        for value in values.map_err(|error| error.to_string())? {
            data.extend_from_slice(&value.to_le_bytes());
        }
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: parameter.shape.clone(),
            data_offsets: (start, data.len()),
        };
        tensors.push((name, info));
    }
    let mut metadata = metadata.clone();
    metadata.entry("format".to_owned()).or_insert("pt".to_owned());
    let header = Header { metadata, tensors };
    let mut header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    let length = (header.len() as u64).to_le_bytes();
    Ok([length.as_slice(), &header, &data].concat())
}

/// The counter that each of torch's BatchNorm layers has beside its running variance; it matters only
/// for `momentum=None`, but a strict `load_state_dict` misses it.
fn counter_names(names: &[String]) -> impl Iterator<Item = String> {
    let layers = names.iter().filter_map(|name| name.strip_suffix("running_var"));
    layers.map(|layer| format!("{layer}{BATCH_NORM_COUNTER}"))
}

/// The JSON header with its entries in a fixed order; the safetensors crate's keeps metadata in a
/// hash map, whose order changes from run to run.
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, TensorInfo)>,
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.tensors.len()))?;
        map.serialize_entry("__metadata__", &self.metadata)?;
        for (name, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}
