//! Walking through the model: at binding, to learn its parameters; at each step, to update them.

use std::collections::BTreeMap;

use burn::module::{Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{GradientCheckpointingStrategy, Tensor};
use firebrick_kernels::{flattened, unflattened};
use firebrick_models::LayerDepths;
use firebrick_models::walk::{Change, ParamRef, Role, Visit};

use super::config::OptimizerConfig;
use super::error::OptimizerError;
use super::group::{Group, Membership};
use super::rates::Rates;
use super::rule::{Memory, StepContext};
use crate::glob;

/// One trainable parameter.
pub(super) struct Slot {
    pub at: ParamRef,
    /// As the model holds it.
    pub shape: Vec<usize>,
    pub memory: Memory,
    pub group: usize,
}

/// Every trainable parameter seen so far, by path, and the groups that they fall into.
#[derive(Default)]
pub(super) struct Parameters {
    pub slots: BTreeMap<String, Slot>,
    groups: Vec<Group>,
    /// How deep each layer lies in the network.
    pub depths: LayerDepths,
    /// Paths of those that require no gradient.
    pub frozen: Vec<String>,
}

impl Parameters {
    pub(super) fn group(&self, slot: &Slot) -> &Group {
        &self.groups[slot.group]
    }

    /// Makes a slot for the parameter at `at` if there is none, or if what was known under that path had another
    /// shape and so was another parameter.
    fn ensure(&mut self, config: &OptimizerConfig, at: &ParamRef, shape: &[usize]) {
        if self.slots.get(&at.path).is_some_and(|slot| slot.shape == shape) {
            return;
        }
        let membership = Membership::of(config, &self.depths, at, shape);
        let known = self.groups.iter().position(|group| group.membership == membership);
        let group = known.unwrap_or_else(|| {
            self.groups.push(Group::new(config, membership, shape));
            self.groups.len() - 1
        });
        let slot = Slot { at: at.clone(), shape: shape.to_vec(), memory: Memory::default(), group };
        self.slots.insert(at.path.clone(), slot);
    }

    pub(super) fn check_bound(&self, config: &OptimizerConfig) -> Result<(), OptimizerError> {
        if self.slots.is_empty() {
            return Err(OptimizerError::NoParameters);
        }
        for index in self.groups_of_nothing_trained(config) {
            let pattern = &config.groups()[index].pattern;
            if !self.frozen.iter().any(|path| glob::matches(pattern, path)) {
                return Err(OptimizerError::UnmatchedGroup {
                    index,
                    pattern: pattern.clone(),
                    parameters: self.slots.keys().cloned().collect(),
                });
            }
        }
        Ok(())
    }

    /// Positions of the config's groups that match no trained parameter.
    pub(super) fn groups_of_nothing_trained(&self, config: &OptimizerConfig) -> Vec<usize> {
        let matches =
            |index: &usize| self.groups.iter().any(|known| known.membership.groups().contains(index));
        (0..config.groups().len()).filter(|index| !matches(index)).collect()
    }
}

/// Finds the parameters that require a gradient.
pub(super) struct Bind<'a> {
    config: &'a OptimizerConfig,
    parameters: &'a mut Parameters,
}

impl<'a> Bind<'a> {
    pub(super) fn new(config: &'a OptimizerConfig, parameters: &'a mut Parameters) -> Self {
        Self { config, parameters }
    }
}

impl Visit for Bind<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        if parameter.is_require_grad() {
            self.parameters.ensure(self.config, at, &parameter.lazy_shape().to_vec());
        } else if at.role != Role::Buffer {
            self.parameters.frozen.push(at.path.clone());
        }
    }
}

/// Updates the parameters that have a gradient.
pub(super) struct Step<'a> {
    config: &'a OptimizerConfig,
    parameters: &'a mut Parameters,
    rates: &'a dyn Rates,
    gradients: GradientsParams,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        config: &'a OptimizerConfig,
        parameters: &'a mut Parameters,
        rates: &'a dyn Rates,
        gradients: GradientsParams,
    ) -> Self {
        Self { config, parameters, rates, gradients }
    }

    /// # Shapes
    /// `parameter`, `gradient` and the result are the flattened parameter, outside autodiff; `shape` is its own.
    fn update(
        &mut self,
        at: &ParamRef,
        shape: &[usize],
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        self.parameters.ensure(self.config, at, shape);
        let Some(slot) = self.parameters.slots.get_mut(&at.path) else {
            unreachable!("bug: `ensure` has made no slot for {}", at.path);
        };
        let group = &self.parameters.groups[slot.group];
        let context = StepContext {
            lr: self.rates.lr(group.base_lr),
            momentum: self.rates.momentum(),
            at: &slot.at,
            shape: &slot.shape,
        };
        slot.memory.follow(&parameter.device());
        slot.memory.num_steps += 1;
        group.rule.update(&context, &mut slot.memory, parameter, gradient)
    }
}

impl Change for Step<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(parameter.id) else { return parameter };
        let (id, tensor, mapper) = parameter.consume();
        let autodiff = AutodiffContext::of(&tensor);
        let shape = tensor.dims();
        let gradient = gradient.inner().to_device(&tensor.device());
        let updated = self.update(at, &shape, flattened(tensor.inner()), flattened(gradient));
        Param::from_mapped_value(id, autodiff.restore(unflattened(updated, shape), id), mapper)
    }
}

/// What a parameter carries besides its values. The update is computed outside autodiff, so that no
/// graph grows from step to step, and the result becomes a leaf of the same kind again.
struct AutodiffContext {
    requires_grad: bool,
    is_distributed: bool,
    /// `None` outside autodiff.
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl AutodiffContext {
    fn of<const D: usize>(parameter: &Tensor<D>) -> Self {
        Self {
            requires_grad: parameter.is_require_grad(),
            is_distributed: parameter.is_distributed(),
            checkpointing: parameter.gradient_checkpointing_strategy(),
        }
    }

    fn restore<const D: usize>(self, updated: Tensor<D>, id: ParamId) -> Tensor<D> {
        let Some(strategy) = self.checkpointing else { return updated };
        let leaf = Tensor::from_inner(updated).with_gradient_checkpointing_strategy(strategy);
        let leaf = if self.requires_grad { leaf.require_grad() } else { leaf };
        if self.is_distributed { leaf.set_distributed(id) } else { leaf }
    }
}
