//! A running average of the weights, evaluated beside the raw ones.
//!
//! Only trainable parameters are averaged. What a layer keeps besides (BatchNorm's running
//! statistics) is taken from the live model when the average is asked for, as torch's
//! `AveragedModel` does with its `use_buffers = False`.
//!
//! The average is kept as plain tensors, not as a second model: the clones of a network with Burn's own
//! BatchNorm share its running statistics, and mapping over a clone would write into the live network.
//!
//! # Source
//! `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn(decay)`; Polyak and Juditsky,
//! <https://doi.org/10.1137/0330046>.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_component::{ArgumentError, check};
use firebrick_models::walk::{Change, ParamRef, Visit, change, visit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::optimizer::{OptimizerError, OptimizerState, ParameterState, lerp, read_back, upload};

/// Under which names the average stands in its file.
const OWNER: &str = "ema";
const AVERAGE: &str = "average";

/// Arguments of the average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table such as ema = { decay = 0.999 }")]
pub struct EmaConfig {
    /// Share of the old average in the new one.
    pub decay: f64,
}

impl Default for EmaConfig {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

impl EmaConfig {
    /// Checks the arguments.
    ///
    /// # Errors
    /// `decay` must be from 0 to 1.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("decay", self.decay)
    }
}

/// An average that cannot be built, saved or restored.
#[derive(Debug, Error)]
pub enum EmaError {
    /// An argument is outside its range.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The file is not one of ours, or the device will not give a tensor back.
    #[error("the averaged weights: {0}")]
    State(#[from] OptimizerError),
    /// The file is of another model.
    #[error("the saved averaged weights do not fit the model: {}", problems.join("; "))]
    Mismatch {
        /// Every difference.
        problems: Vec<String>,
    },
}

/// One parameter's average.
struct Averaged {
    flat: Tensor<1>,
    shape: Vec<usize>,
}

/// The running average of a model's weights.
pub struct Ema {
    decay: f64,
    num_updates: u64,
    averages: BTreeMap<String, Averaged>,
}

impl Ema {
    /// An average of nothing yet: the first [`update`](Self::update) copies the weights.
    ///
    /// # Errors
    /// Those of [`EmaConfig::validate`].
    pub fn new(config: &EmaConfig) -> Result<Self, EmaError> {
        config.validate()?;
        Ok(Self { decay: config.decay, num_updates: 0, averages: BTreeMap::new() })
    }

    /// Takes the model's weights into the average; call it after each optimiser step.
    pub fn update<M: Module>(&mut self, model: &M) {
        visit(model, &mut Update { averages: &mut self.averages, weight: 1.0 - self.decay });
        self.num_updates += 1;
    }

    /// Begins the averages of parameters that require a gradient since just now: they have been what they are all along.
    /// Before the first update there is nothing to begin.
    pub fn thaw<M: Module>(&mut self, model: &M) {
        if self.num_updates > 0 {
            visit(model, &mut Begin(&mut self.averages));
        }
    }

    /// How often [`update`](Self::update) was called.
    pub fn num_updates(&self) -> u64 {
        self.num_updates
    }

    /// A copy of `model` for evaluation, without autodiff, with the averaged weights in it. It shares
    /// nothing that either of the two could change. Before the first update it has the model's own
    /// weights.
    pub fn averaged<M: Module>(&self, model: &M) -> M {
        // `valid` gives BatchNorm's statistics a place of their own; `clone` would not.
        change(model.valid(), &mut Replace { averages: &self.averages })
    }

    /// The average as bytes for a checkpoint, exact to the last bit.
    ///
    /// # Errors
    /// [`EmaError::State`] if the device will not give a tensor back.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EmaError> {
        let mut state = OptimizerState { optimizer: OWNER.to_owned(), ..OptimizerState::default() };
        for (path, averaged) in &self.averages {
            let data = read_back(&averaged.flat, &averaged.shape)
                .map_err(|reason| OptimizerError::Device { tensor: path.clone(), reason })?;
            let tensors = BTreeMap::from([(AVERAGE.to_owned(), data)]);
            let parameter = ParameterState { steps: self.num_updates, tensors, scalars: BTreeMap::new() };
            state.parameters.insert(path.clone(), parameter);
        }
        Ok(state.to_bytes()?)
    }

    /// Goes on from a checkpoint of the same model. Nothing changes if there is an error.
    ///
    /// # Errors
    /// [`EmaError::State`] for bytes that [`to_bytes`](Self::to_bytes) did not write,
    /// [`EmaError::Mismatch`] with every parameter that is unknown, missing or of another shape.
    pub fn load_bytes<M: Module>(
        &mut self,
        bytes: &[u8],
        model: &M,
        device: &Device,
    ) -> Result<(), EmaError> {
        let state = OptimizerState::from_bytes(bytes)?;
        if state.optimizer != OWNER {
            return Err(OptimizerError::OtherOptimizer { expected: OWNER, found: state.optimizer }.into());
        }
        let mut shapes = Shapes::default();
        visit(model, &mut shapes);
        let problems = differences(&shapes.found, &state);
        if !problems.is_empty() {
            return Err(EmaError::Mismatch { problems });
        }
        let mut averages = BTreeMap::new();
        let mut num_updates = 0;
        for (path, mut parameter) in state.parameters {
            num_updates = parameter.steps;
            let Some(data) = parameter.tensors.remove(AVERAGE) else {
                unreachable!("bug: {path} has no tensor called {AVERAGE:?}, and passed the check for it");
            };
            let shape = data.shape().to_vec();
            let flat = upload(data, device)
                .map_err(|reason| OptimizerError::Unreadable { reason: format!("{path}: {reason}") })?;
            averages.insert(path, Averaged { flat, shape });
        }
        self.averages = averages;
        self.num_updates = num_updates;
        Ok(())
    }
}

/// Every way in which `state` does not fit. A state without any parameter is one from before the
/// first update, and fits.
fn differences(shapes: &BTreeMap<String, Vec<usize>>, state: &OptimizerState) -> Vec<String> {
    let mut problems = Vec::new();
    if state.parameters.is_empty() {
        return problems;
    }
    for path in shapes.keys().filter(|path| !state.parameters.contains_key(*path)) {
        problems.push(format!("{path} is missing"));
    }
    for (path, parameter) in &state.parameters {
        let saved = parameter.tensors.get(AVERAGE).map(|data: &TensorData| data.shape().as_slice());
        match (shapes.get(path), saved) {
            (None, _) => problems.push(format!("{path} is not a trainable parameter of the model")),
            (Some(_), None) => problems.push(format!("{path} has no tensor called {AVERAGE:?}")),
            (Some(shape), Some(saved)) if saved != shape.as_slice() => {
                problems.push(format!("{path} has the shape {saved:?}: expected {shape:?}"));
            }
            (Some(_), Some(_)) => {}
        }
    }
    problems
}

struct Update<'a> {
    averages: &'a mut BTreeMap<String, Averaged>,
    weight: f64,
}

impl Visit for Update<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let tensor = param.val().inner();
        let shape = tensor.dims().to_vec();
        let new = tensor.reshape([-1]);
        let flat = match self.averages.remove(&at.path) {
            // torch's `lerp`, the way round that it takes for a weight below one half or above.
            Some(old) if old.shape == shape => lerp(old.flat.to_device(&new.device()), new, self.weight),
            // The first update, or another model's parameter: the average begins here.
            Some(_) | None => new,
        };
        self.averages.insert(at.path.clone(), Averaged { flat, shape });
    }
}

/// Takes in what has no average yet.
struct Begin<'a>(&'a mut BTreeMap<String, Averaged>);

impl Visit for Begin<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, param: &Param<Tensor<D>>) {
        if param.is_require_grad() && !self.0.contains_key(&at.path) {
            let tensor = param.val().inner();
            let shape = tensor.dims().to_vec();
            self.0.insert(at.path.clone(), Averaged { flat: tensor.reshape([-1]), shape });
        }
    }
}

struct Replace<'a> {
    averages: &'a BTreeMap<String, Averaged>,
}

impl Change for Replace<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.averages.get(&at.path) {
            Some(averaged) if averaged.shape == param.lazy_shape().to_vec() => {
                let flat = averaged.flat.clone();
                param.map(|tensor| flat.to_device(&tensor.device()).reshape(tensor.dims()))
            }
            // What is not averaged: running statistics, frozen parameters, everything before the first update.
            Some(_) | None => param,
        }
    }
}

/// The shapes of the parameters that are averaged.
#[derive(Default)]
struct Shapes {
    found: BTreeMap<String, Vec<usize>>,
}

impl Visit for Shapes {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.found.insert(at.path.clone(), param.lazy_shape().to_vec());
        }
    }
}
