//! Between an optimiser at work and its [`OptimizerState`]: reading tensors back, and putting them
//! where they belong after checking every name and shape.

use std::collections::BTreeSet;

use burn::tensor::{Device, Tensor, TensorData};

use super::error::OptimizerError;
use super::rule::{Memory, Rule};
use super::state::{OptimizerState, ParameterState};
use super::update::{Parameters, Slot};

pub(super) fn state(optimizer: &str, parameters: &Parameters) -> Result<OptimizerState, OptimizerError> {
    let mut state = OptimizerState { optimizer: optimizer.to_owned(), ..OptimizerState::default() };
    for (path, slot) in &parameters.slots {
        let rule = &*parameters.group(slot).rule;
        state.parameters.insert(path.clone(), parameter_state(rule, slot)?);
    }
    Ok(state)
}

fn parameter_state(rule: &dyn Rule, slot: &Slot) -> Result<ParameterState, OptimizerError> {
    let memory = &slot.memory;
    let names = names_of(rule, memory.tensors.len()).ok_or_else(|| OptimizerError::Unwritable {
        reason: format!(
            "{} has {} tensors, which none of the optimizer's layouts {:?} names",
            slot.at.path,
            memory.tensors.len(),
            rule.tensor_layouts()
        ),
    })?;
    let mut state = ParameterState { steps: memory.num_steps, ..ParameterState::default() };
    for (name, tensor) in names.iter().zip(&memory.tensors) {
        let data = read_back(tensor, &slot.shape).map_err(|reason| OptimizerError::Device {
            tensor: format!("{}/{name}", slot.at.path),
            reason,
        })?;
        state.tensors.insert((*name).to_owned(), data);
    }
    let scalars = rule.scalar_names().iter().zip(&memory.scalars);
    state.scalars = scalars.map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Ok(state)
}

/// The names of so many tensors.
fn names_of(rule: &dyn Rule, num_tensors: usize) -> Option<&'static [&'static str]> {
    if num_tensors == 0 {
        return Some(&[]);
    }
    rule.tensor_layouts().iter().copied().find(|names| names.len() == num_tensors)
}

/// A flattened tensor as host data of its parameter's shape.
pub(crate) fn read_back(tensor: &Tensor<1>, shape: &[usize]) -> Result<TensorData, String> {
    let data = tensor.try_to_data().map_err(|error| format!("{error:?}"))?;
    let (bytes, _, dtype) = data.into_parts();
    TensorData::try_from_bytes(bytes, shape.to_vec(), dtype).map_err(|error| error.to_string())
}

/// Host data as a flattened tensor outside autodiff; its bits and type stay as they are.
pub(crate) fn upload(data: TensorData, device: &Device) -> Result<Tensor<1>, String> {
    let (bytes, shape, dtype) = data.into_parts();
    let flat = TensorData::try_from_bytes(bytes, [shape.num_elements()], dtype);
    let flat = flat.map_err(|error| error.to_string())?;
    Ok(Tensor::<1>::from_data(flat, (device, dtype)).inner())
}

pub(super) fn load(
    optimizer: &'static str,
    parameters: &mut Parameters,
    mut state: OptimizerState,
    device: &Device,
) -> Result<(), OptimizerError> {
    if parameters.slots.is_empty() {
        return Err(OptimizerError::NotBound);
    }
    if state.optimizer != optimizer {
        return Err(OptimizerError::OtherOptimizer { expected: optimizer, found: state.optimizer });
    }
    let problems = differences(parameters, &state);
    if !problems.is_empty() {
        return Err(OptimizerError::StateMismatch { problems });
    }
    let mut memories = Vec::with_capacity(parameters.slots.len());
    for (path, slot) in &parameters.slots {
        let Some(saved) = state.parameters.remove(path) else {
            unreachable!("bug: a state without {path} was found to fit");
        };
        memories.push(memory(&*parameters.group(slot).rule, saved, path, device)?);
    }
    for (slot, memory) in parameters.slots.values_mut().zip(memories) {
        slot.memory = memory;
    }
    Ok(())
}

fn memory(
    rule: &dyn Rule,
    mut saved: ParameterState,
    path: &str,
    device: &Device,
) -> Result<Memory, OptimizerError> {
    let mut memory = Memory { num_steps: saved.steps, ..Memory::default() };
    let names = if saved.steps == 0 { Some(&[][..]) } else { layout(rule, &saved) };
    let Some(names) = names else {
        unreachable!("bug: a state with other tensors of {path} was found to fit");
    };
    for name in names {
        let Some(data) = saved.tensors.remove(*name) else {
            unreachable!("bug: a state without {path}/{name} was found to fit");
        };
        let tensor = upload(data, device)
            .map_err(|reason| OptimizerError::Unreadable { reason: format!("{path}/{name}: {reason}") })?;
        memory.tensors.push(tensor);
    }
    let scalars = rule.scalar_names().iter();
    memory.scalars = scalars.filter_map(|name| saved.scalars.get(*name).copied()).collect();
    Ok(memory)
}

/// Every way in which `state` does not fit, in the order of the parameters' names.
fn differences(parameters: &Parameters, state: &OptimizerState) -> Vec<String> {
    let known: BTreeSet<&String> = parameters.slots.keys().collect();
    let saved: BTreeSet<&String> = state.parameters.keys().collect();
    let mut problems = Vec::new();
    for path in saved.difference(&known) {
        problems.push(format!("{path} is in the state but is not a trainable parameter of the model"));
    }
    for path in known.difference(&saved) {
        problems.push(format!("{path} is missing in the state"));
    }
    for (path, slot) in &parameters.slots {
        if let Some(saved) = state.parameters.get(path) {
            let rule = &*parameters.group(slot).rule;
            compare(rule, &slot.shape, path, saved, &mut problems);
        }
    }
    problems
}

fn compare(rule: &dyn Rule, shape: &[usize], path: &str, saved: &ParameterState, problems: &mut Vec<String>) {
    let has_tensors_rightly = match saved.steps {
        0 => saved.tensors.is_empty() && saved.scalars.is_empty(),
        _ => layout(rule, saved).is_some(),
    };
    if !has_tensors_rightly {
        let expected =
            if saved.steps == 0 { &[] } else { rule.tensor_layouts().first().copied().unwrap_or(&[]) };
        problems.push(format!(
            "{path} has the tensors [{}] after {} steps: expected [{}]",
            saved.tensors.keys().cloned().collect::<Vec<_>>().join(", "),
            saved.steps,
            expected.join(", "),
        ));
    }
    let has_scalars_rightly =
        saved.scalars.keys().map(String::as_str).eq(rule.scalar_names().iter().copied());
    if saved.steps > 0 && !has_scalars_rightly {
        problems.push(format!(
            "{path} has the numbers [{}]: expected [{}]",
            saved.scalars.keys().cloned().collect::<Vec<_>>().join(", "),
            rule.scalar_names().join(", "),
        ));
    }
    for (name, data) in &saved.tensors {
        if data.shape().as_slice() != shape {
            let saved_shape = data.shape().as_slice();
            problems.push(format!("{path}/{name} has the shape {saved_shape:?}: expected {shape:?}"));
        }
    }
}

/// The rule's set of tensors that `saved` has, if it has one of them exactly.
fn layout(rule: &dyn Rule, saved: &ParameterState) -> Option<&'static [&'static str]> {
    let layouts = rule.tensor_layouts().iter().copied();
    layouts.into_iter().find(|names| {
        names.len() == saved.tensors.len() && names.iter().all(|name| saved.tensors.contains_key(*name))
    })
}
