//! Golden files and comparisons, for all tests.

use std::path::PathBuf;

use burn::tensor::{DType, Device, DeviceKind, TensorData};
use firebrick_loss::{Evaluation, Inputs, LossConfig, LossError, evaluate};
use serde_json::Value;

/// One case of a golden file.
pub struct Case {
    pub name: String,
    pub loss: String,
    pub args: Value,
    pub inputs: Vec<(String, Array)>,
    pub output: Option<Array>,
    pub gradients: Vec<(String, Array)>,
}

/// An array of a golden file, in f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub is_float: bool,
    pub values: Vec<f64>,
}

impl Array {
    pub fn floats(shape: &[usize], values: Vec<f64>) -> Self {
        Self { shape: shape.to_vec(), is_float: true, values }
    }

    pub fn to_data(&self, float: DType) -> TensorData {
        if self.is_float {
            return TensorData::new(self.values.clone(), self.shape.clone()).convert_dtype(float);
        }
        let values: Vec<i64> = self.values.iter().map(|&value| value as i64).collect();
        TensorData::new(values, self.shape.clone())
    }

    pub fn from_data(data: &TensorData) -> Self {
        Self::floats(data.shape(), data.iter::<f64>().collect())
    }
}

impl Case {
    pub fn config(&self) -> Result<LossConfig, String> {
        LossConfig::deserialize_named(&self.loss, self.args.clone())
            .unwrap_or_else(|| panic!("no loss {}", self.loss))
            .map_err(|error| error.to_string())
    }

    pub fn inputs(&self, float: DType) -> Inputs {
        let to_data = |(name, array): &(String, Array)| (name.clone(), array.to_data(float));
        self.inputs.iter().map(to_data).collect()
    }

    pub fn run(&self, float: DType, device: &Device) -> Result<Evaluation, LossError> {
        evaluate(&self.config().unwrap(), &self.inputs(float), true, device)
    }
}

/// The cases of `part` ("cases" or "errors") of a golden file, from `FIREBRICK_GOLDEN_DIR` if that is
/// set and has the file.
pub fn golden(file: &str, part: &str) -> Vec<Case> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folder = std::env::var_os("FIREBRICK_GOLDEN_DIR").map_or(own.clone(), PathBuf::from);
    let path = folder.join(file);
    let path = if path.exists() { path } else { own.join(file) };
    let text = std::fs::read_to_string(&path).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    json[part].as_array().unwrap().iter().map(case).collect()
}

fn case(json: &Value) -> Case {
    Case {
        name: json["name"].as_str().unwrap().into(),
        loss: json["loss"].as_str().unwrap().into(),
        args: json["args"].clone(),
        inputs: arrays(&json["inputs"]),
        output: json.get("output").map(array),
        gradients: json.get("grads").map(arrays).unwrap_or_default(),
    }
}

fn arrays(json: &Value) -> Vec<(String, Array)> {
    let named = json.as_object().unwrap().iter();
    named.map(|(name, value)| (name.clone(), array(value))).collect()
}

fn array(json: &Value) -> Array {
    let numbers = |key: &str| json[key].as_array().unwrap().iter();
    Array {
        shape: numbers("shape").map(|n| n.as_u64().unwrap() as usize).collect(),
        is_float: json["dtype"].as_str().unwrap().starts_with('f'),
        values: numbers("data").map(number).collect(),
    }
}

fn number(json: &Value) -> f64 {
    match json.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        Some(other) => panic!("not a number: {other}"),
        None => json.as_f64().unwrap(),
    }
}

/// How far a number may be from the one wanted: the larger of the two.
#[derive(Clone, Copy)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

pub const CPU: Tolerance = Tolerance { relative: 1e-5, absolute: 1e-6 };
pub const GPU: Tolerance = Tolerance { relative: 1e-4, absolute: 1e-5 };
pub const DOUBLE: Tolerance = Tolerance { relative: 1e-10, absolute: 1e-10 };

pub fn is_close(got: f64, want: f64, tolerance: Tolerance) -> bool {
    if want.is_nan() {
        return got.is_nan();
    }
    if want.is_infinite() {
        return got == want;
    }
    (got - want).abs() <= tolerance.absolute.max(tolerance.relative * want.abs())
}

/// What differs between two arrays, in words.
pub fn difference(what: &str, got: &Array, want: &Array, tolerance: Tolerance) -> Option<String> {
    if got.shape != want.shape {
        return Some(format!("{what}: shape {:?}, want {:?}", got.shape, want.shape));
    }
    let pairs = got.values.iter().zip(&want.values);
    let bad = pairs.enumerate().find(|&(_, (&g, &w))| !is_close(g, w, tolerance));
    bad.map(|(index, (g, w))| format!("{what}[{index}]: {g:e}, want {w:e}"))
}

/// What differs between an evaluation and a golden case, in words.
pub fn differences(case: &Case, got: &Evaluation, tolerance: Tolerance) -> Option<String> {
    let output = Array::from_data(&got.output);
    let want = case.output.as_ref().unwrap();
    if let Some(difference) = difference("output", &output, want, tolerance) {
        return Some(difference);
    }
    if got.gradients.len() != case.gradients.len() {
        return Some(format!("gradients of {:?}", got.gradients.keys()));
    }
    case.gradients.iter().find_map(|(name, want)| {
        let gradient = Array::from_data(&got.gradients[name]);
        difference(&format!("gradient of {name}"), &gradient, want, tolerance)
    })
}

pub fn flex() -> Device {
    Device::flex()
}

#[allow(deprecated)]
pub fn ndarray() -> Device {
    Device::ndarray()
}

pub fn wgpu() -> Device {
    Device::wgpu(DeviceKind::DefaultDevice)
}
