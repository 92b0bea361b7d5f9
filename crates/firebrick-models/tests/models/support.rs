//! What the tests share: devices, scratch models, and safetensors files with any content.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use firebrick_models::weights::{NamedParameter, named_parameters};
use firebrick_models::{ImageClassifier, ModelConfig};
use safetensors::Dtype;
use safetensors::tensor::{SafeTensors, View};

/// The files beside the tests, wherever golden cases come from.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[allow(deprecated)] // gone in Burn 0.23, and one of the backends until then
pub fn ndarray() -> Device {
    Device::ndarray()
}

pub fn flex() -> Device {
    Device::flex()
}

/// The networks that are Rust code; `sequential` is whatever its config says.
pub const WRITTEN: [&str; 2] = ["tudui", "lenet"];

/// Those and `sequential`: small networks, for what has nothing to do with their size.
pub const SMALL: [&str; 3] = ["tudui", "lenet", "sequential"];

/// A model with its defaults; `sequential` has the layers of the golden file.
pub fn config(name: &str) -> ModelConfig {
    let arguments = match name {
        "sequential" => serde_json::from_slice(&std::fs::read(fixture("sequential.json")).unwrap()).unwrap(),
        _ => serde_json::json!({}),
    };
    ModelConfig::deserialize_named(name, arguments).unwrap().unwrap()
}

/// A `sequential` of these layers.
pub fn sequential(input_shape: [usize; 3], layers: serde_json::Value) -> ModelConfig {
    let arguments = serde_json::json!({ "input_shape": input_shape, "layers": layers });
    ModelConfig::deserialize_named("sequential", arguments).unwrap().unwrap()
}

pub fn values(parameter: &NamedParameter) -> Vec<f32> {
    parameter.data.try_to_vec().unwrap()
}

/// All values of a model, to compare two models to the bit.
pub fn all_bits<M: ImageClassifier>(model: &M) -> Vec<(String, Vec<u32>)> {
    named_parameters(model)
        .iter()
        .map(|p| {
            let bits = values(p).iter().map(|value| value.to_bits()).collect();
            (p.name.clone(), bits)
        })
        .collect()
}

/// A tensor that a test writes to a file.
#[derive(Clone, Debug)]
pub struct Stored {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Stored {
    pub fn f32(shape: &[usize], values: &[f32]) -> Self {
        Self {
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    pub fn zeros(shape: &[usize]) -> Self {
        Self::f32(shape, &vec![0.0; shape.iter().product()])
    }
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The parameters of `model` as a state dict whose names and tensors the test may change.
pub fn state_dict<M: ImageClassifier>(model: &M) -> Vec<(String, Stored)> {
    named_parameters(model).iter().map(|p| (p.name.clone(), Stored::f32(&p.shape, &values(p)))).collect()
}

pub fn write(path: &Path, tensors: &[(String, Stored)]) {
    let views = tensors.iter().map(|(name, tensor)| (name.clone(), tensor));
    let bytes = safetensors::serialize(views, None).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// The f32 tensors of a safetensors file.
pub fn read(path: &Path) -> HashMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .filter(|(_, view)| view.dtype() == Dtype::F32)
        .map(|(name, view)| {
            let values = view.data().chunks_exact(4);
            let values = values.map(|b| f32::from_le_bytes(b.try_into().unwrap()));
            (name.to_owned(), (view.shape().to_vec(), values.collect()))
        })
        .collect()
}
