//! Walking through the model: at binding, to learn its parameters; at each step, to update them.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{GradientCheckpointingStrategy, Tensor};

use super::error::OptimizerError;
use super::group::{Group, Membership};
use super::path::{Location, ModulePath};
use super::rule::{Memory, StepContext};
use super::{OptimizerConfig, Rates};

/// One trainable parameter.
pub(super) struct Slot {
    pub location: Location,
    pub memory: Memory,
    pub group: usize,
}

/// Every trainable parameter seen so far, by path, and the groups that they fall into.
#[derive(Default)]
pub(super) struct Parameters {
    pub slots: BTreeMap<String, Slot>,
    groups: Vec<Group>,
}

impl Parameters {
    pub(super) fn group(&self, slot: &Slot) -> &Group {
        &self.groups[slot.group]
    }

    /// The slot of the parameter at `location`; a new one if there is none, or if what was known
    /// under that path had another shape and so was another parameter.
    fn ensure(&mut self, config: &OptimizerConfig, location: Location) {
        if self.slots.get(&location.path).is_some_and(|slot| slot.location.shape == location.shape) {
            return;
        }
        let membership = Membership::of(config, &location);
        let known = self.groups.iter().position(|group| group.membership == membership);
        let group = known.unwrap_or_else(|| {
            self.groups.push(Group::new(config, &location));
            self.groups.len() - 1
        });
        let slot = Slot { memory: Memory::default(), group, location };
        self.slots.insert(slot.location.path.clone(), slot);
    }

    pub(super) fn check_bound(&self, config: &OptimizerConfig) -> Result<(), OptimizerError> {
        if self.slots.is_empty() {
            return Err(OptimizerError::NoParameters);
        }
        for (index, group) in config.groups().iter().enumerate() {
            if !self.groups.iter().any(|known| known.membership.groups().contains(&index)) {
                return Err(OptimizerError::UnmatchedGroup {
                    index,
                    pattern: group.pattern.clone(),
                    parameters: self.slots.keys().cloned().collect(),
                });
            }
        }
        Ok(())
    }
}

/// Finds the parameters that require a gradient.
pub(super) struct Visit<'a> {
    config: &'a OptimizerConfig,
    parameters: &'a mut Parameters,
    path: ModulePath,
}

impl<'a> Visit<'a> {
    pub(super) fn new(config: &'a OptimizerConfig, parameters: &'a mut Parameters) -> Self {
        Self { config, parameters, path: ModulePath::default() }
    }
}

impl ModuleVisitor for Visit<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            let location = self.path.location(param.lazy_shape().to_vec());
            self.parameters.ensure(self.config, location);
        }
    }
}

/// Updates the parameters that have a gradient.
pub(super) struct Step<'a> {
    config: &'a OptimizerConfig,
    parameters: &'a mut Parameters,
    rates: &'a dyn Rates,
    gradients: GradientsParams,
    path: ModulePath,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        config: &'a OptimizerConfig,
        parameters: &'a mut Parameters,
        rates: &'a dyn Rates,
        gradients: GradientsParams,
    ) -> Self {
        Self { config, parameters, rates, gradients, path: ModulePath::default() }
    }

    /// # Shapes
    /// `parameter`, `gradient` and the result are the flattened parameter, outside autodiff.
    fn update(&mut self, location: Location, parameter: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        let path = location.path.clone();
        self.parameters.ensure(self.config, location);
        let Some(slot) = self.parameters.slots.get_mut(&path) else { return parameter };
        let group = &self.parameters.groups[slot.group];
        let context = StepContext {
            lr: self.rates.lr(group.base_lr),
            momentum: self.rates.momentum(),
            location: &slot.location,
        };
        slot.memory.follow(&parameter.device());
        slot.memory.num_steps += 1;
        group.rule.update(&context, &mut slot.memory, parameter, gradient)
    }
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let (id, tensor, mapper) = param.consume();
        let autodiff = AutodiffContext::of(&tensor);
        let shape = tensor.dims();
        let gradient = gradient.inner().to_device(&tensor.device());

        let location = self.path.location(shape.to_vec());
        let updated = self.update(location, tensor.inner().reshape([-1]), gradient.reshape([-1]));
        Param::from_mapped_value(id, autodiff.restore(updated.reshape(shape), id), mapper)
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
