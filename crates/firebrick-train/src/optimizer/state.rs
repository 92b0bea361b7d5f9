//! An optimiser's state as named host tensors and counters, and as the bytes of `optimizer.bpk`.
//!
//! The format is burnpack. A tensor is called `<parameter>/<name>`, such as
//! `conv1.weight/exp_avg`, and has the parameter's shape; a number is called the same way, among
//! them `<parameter>/steps`, which every trainable parameter has, also one that was never updated.
//! Bytes are exact: what is read is what was written, to the last bit.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use burn_store::burn_pack::{Bytes, Reader, Scalar, Tensor as PackedTensor, Writer};

use super::error::OptimizerError;

const FORMAT: &str = "firebrick-optimizer-1";
const STEPS: &str = "steps";

/// Everything that an optimiser remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Name of the optimiser.
    pub optimizer: String,
    /// One entry for each trainable parameter, by its path.
    pub parameters: BTreeMap<String, ParameterState>,
}

/// What an optimiser remembers about one parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParameterState {
    /// Updates done so far.
    pub steps: u64,
    /// Tensors of the parameter's shape by name; none before the first update.
    pub tensors: BTreeMap<String, TensorData>,
    /// Numbers by name; none before the first update.
    pub scalars: BTreeMap<String, f64>,
}

impl OptimizerState {
    /// The state as burnpack bytes.
    ///
    /// # Errors
    /// [`OptimizerError::Unwritable`] if the state is too large for the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OptimizerError> {
        let mut tensors = Vec::new();
        for (path, parameter) in &self.parameters {
            for (name, data) in &parameter.tensors {
                tensors.push(packed(format!("{path}/{name}"), data));
            }
        }
        let mut writer =
            Writer::new(tensors).with_metadata("format", FORMAT).with_metadata("optimizer", &self.optimizer);
        for (path, parameter) in &self.parameters {
            writer = writer.with_scalar(&format!("{path}/{STEPS}"), Scalar::UInt(parameter.steps));
            for (name, value) in &parameter.scalars {
                writer = writer.with_scalar(&format!("{path}/{name}"), Scalar::Float(*value));
            }
        }
        let bytes =
            writer.into_bytes().map_err(|error| OptimizerError::Unwritable { reason: error.to_string() })?;
        Ok(bytes.to_vec())
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`OptimizerError::Unreadable`] for anything else; no bytes make it panic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OptimizerError> {
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes.to_vec()))
            .map_err(|error| unreadable(error.to_string()))?;
        let metadata = reader.metadata();
        if metadata.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(unreadable(format!(
                "its format is {:?}: expected {FORMAT:?}",
                metadata.get("format").map_or("(none)", String::as_str)
            )));
        }
        let optimizer = metadata.get("optimizer").cloned();
        let optimizer = optimizer.ok_or_else(|| unreadable("it does not name its optimizer".to_owned()))?;
        let mut state = Self { optimizer, parameters: BTreeMap::new() };
        state.take_scalars(reader.scalars())?;
        let tensors = reader.into_tensors().map_err(|error| unreadable(error.to_string()))?;
        tensors.into_iter().try_for_each(|tensor| state.take_tensor(tensor))?;
        Ok(state)
    }

    fn take_scalars(&mut self, scalars: &BTreeMap<String, Scalar>) -> Result<(), OptimizerError> {
        for (full_name, value) in scalars {
            let (path, name) = split(full_name)?;
            let parameter = self.parameters.entry(path.to_owned()).or_default();
            match (name, value) {
                (STEPS, Scalar::UInt(steps)) => parameter.steps = *steps,
                (_, Scalar::Float(number)) if name != STEPS => {
                    parameter.scalars.insert(name.to_owned(), *number);
                }
                _ => return Err(unreadable(format!("{full_name} is {value:?}, of the wrong type"))),
            }
        }
        let has_steps = |path: &String| scalars.contains_key(&format!("{path}/{STEPS}"));
        match self.parameters.keys().find(|path| !has_steps(path)) {
            Some(path) => Err(unreadable(format!("{path}/{STEPS} is missing"))),
            None => Ok(()),
        }
    }

    fn take_tensor(&mut self, tensor: PackedTensor) -> Result<(), OptimizerError> {
        let (full_name, dtype, shape, _, bytes) =
            tensor.into_parts().map_err(|error| unreadable(error.to_string()))?;
        let (path, name) = split(&full_name)?;
        let Some(parameter) = self.parameters.get_mut(path) else {
            return Err(unreadable(format!("{path}/{STEPS} is missing")));
        };
        if !dtype.is_float() {
            return Err(unreadable(format!("{full_name} holds {dtype:?}: expected floats")));
        }
        // A copy of its own: the view keeps the whole file alive otherwise.
        let data = TensorData::try_from_bytes_vec(bytes.to_vec(), shape, dtype)
            .map_err(|error| unreadable(format!("{full_name}: {error}")))?;
        parameter.tensors.insert(name.to_owned(), data);
        Ok(())
    }
}

fn packed(name: String, data: &TensorData) -> PackedTensor {
    let bytes = Bytes::from_bytes_vec(data.as_bytes().to_vec());
    PackedTensor::new(name, data.dtype(), data.shape().clone(), None, bytes)
}

fn split(full_name: &str) -> Result<(&str, &str), OptimizerError> {
    full_name
        .rsplit_once('/')
        .ok_or_else(|| unreadable(format!("{full_name:?} is not called <parameter>/<name>")))
}

fn unreadable(reason: String) -> OptimizerError {
    OptimizerError::Unreadable { reason }
}
