//! Reads the matched tensors and puts them into the model.

use std::collections::HashMap;

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

use super::error::WeightsError;
use super::file::{FileTensor, Layout, WeightsFile};
use super::matching::Plan;
use super::report::{Assignment, LoadReport};
use crate::parameters::{ParameterInfo, transpose};
use crate::walk::{Change, ParamRef, change};

/// Reads everything first, so that an unreadable tensor leaves no half-loaded model behind.
pub(crate) fn apply<M: Module>(
    model: M,
    file: &WeightsFile,
    plan: Plan,
) -> Result<(M, LoadReport), WeightsError> {
    let mut values = HashMap::new();
    let mut assignments = Vec::new();
    for (parameter, found) in &plan.pairs {
        let tensor = &file.tensors[found.tensor];
        let data = read(tensor, parameter, file).map_err(|reason| WeightsError::Tensor {
            path: file.path.clone(),
            tensor: tensor.name.clone(),
            reason,
        })?;
        values.insert(parameter.name.clone(), data);
        assignments.push(describe(parameter, tensor, found.by_order_alone));
    }
    let model = change(model, &mut Values(values));
    let report = LoadReport {
        path: file.path.clone(),
        format: file.format,
        matched_by: plan.matched_by,
        assignments,
        missing: plan.missing,
        fresh_head: plan.fresh_head,
        extra: plan.extra,
        ignored: file.ignored.clone(),
        choice: file.choice.clone(),
    };
    Ok((model, report))
}

/// A tensor's values in Burn's layout.
fn read(tensor: &FileTensor, parameter: &ParameterInfo, file: &WeightsFile) -> Result<TensorData, String> {
    let values = tensor.read_f32()?;
    match (parameter.is_linear_weight, parameter.shape.as_slice()) {
        (true, &[outputs, inputs]) => {
            let values = match file.layout {
                Layout::Torch => transpose(&values, outputs, inputs),
                Layout::Burn => values,
            };
            Ok(TensorData::new(values, [inputs, outputs]))
        }
        _ => Ok(TensorData::new(values, parameter.shape.clone())),
    }
}

fn describe(parameter: &ParameterInfo, tensor: &FileTensor, by_order_alone: bool) -> Assignment {
    let is_f32 = tensor.dtype_name == "f32";
    Assignment {
        parameter: parameter.name.clone(),
        tensor: tensor.name.clone(),
        shape: parameter.shape.clone(),
        converted_from: (!is_f32).then(|| tensor.dtype_name.clone()),
        by_order_alone,
    }
}

struct Values(HashMap<String, TensorData>);

impl Change for Values {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.remove(&at.path) {
            Some(data) => {
                let tensor = Tensor::from_data(data, &parameter.lazy_device());
                let id = parameter.id;
                parameter.transform_for_load(tensor, id)
            }
            None => parameter,
        }
    }
}
