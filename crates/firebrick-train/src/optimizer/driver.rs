//! The optimiser at work: it applies a rule to every parameter of a model and keeps what the rule remembers.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use firebrick_models::{ImageClassifier, LayerDepths, walk};

use super::config::OptimizerConfig;
use super::error::OptimizerError;
use super::rates::{Proportional, Rates};
use super::restore;
use super::state::OptimizerState;
use super::update::{Bind, Parameters, Step};

/// An optimiser at work: its arguments and what it remembers of each parameter.
pub struct Optimizer {
    config: OptimizerConfig,
    parameters: Parameters,
}

impl Optimizer {
    /// An optimiser that has not seen its model. Call [`bind`](Self::bind) next: it finds
    /// misspelt groups, and restoring state needs it.
    ///
    /// # Errors
    /// Those of [`OptimizerConfig::validate`].
    pub fn new(config: &OptimizerConfig) -> Result<Self, OptimizerError> {
        config.validate()?;
        Ok(Self { config: config.clone(), parameters: Parameters::default() })
    }

    /// Learns the model's trainable parameters and sorts them into the config's groups. Called again after some were thawed,
    /// it remembers nothing of these, and of the others what it did.
    ///
    /// # Errors
    /// A group that matches no parameter, or a model without any that requires a gradient.
    pub fn bind<M: Module>(&mut self, model: &M) -> Result<(), OptimizerError> {
        if self.config.lr_decay_by_depth().is_some() && self.parameters.depths.num_groups() == 0 {
            self.parameters.depths = LayerDepths::of_module(model);
        }
        self.parameters.frozen.clear();
        walk::visit(model, &mut Bind::new(&self.config, &mut self.parameters));
        self.parameters.check_bound(&self.config)
    }

    /// As [`bind`](Self::bind), with the groups of layers of a network that is data, for `lr_decay_by_depth`.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_network<M: ImageClassifier>(&mut self, model: &M) -> Result<(), OptimizerError> {
        if let Some(network) = model.network() {
            self.parameters.depths = LayerDepths::of_plan(network.plan());
        }
        self.bind(model)
    }

    /// Patterns of the groups that match frozen parameters alone, with their positions.
    pub fn frozen_groups(&self) -> Vec<(usize, &str)> {
        let groups = self.config.groups();
        let found = self.parameters.groups_of_nothing_trained(&self.config);
        found.into_iter().map(|index| (index, groups[index].pattern.as_str())).collect()
    }

    /// How many groups of layers there are by depth; 0 where nothing asks for them.
    pub fn num_depths(&self) -> usize {
        self.parameters.depths.num_groups()
    }

    /// The learning rates before any schedule, the lowest and the highest; 0 before [`bind`](Self::bind).
    pub fn range_of_rates(&self) -> [f64; 2] {
        let rates = self.parameters.slots.values().map(|slot| self.parameters.group(slot).base_lr);
        rates
            .fold(None, |range: Option<[f64; 2]>, lr| match range {
                None => Some([lr, lr]),
                Some([low, high]) => Some([low.min(lr), high.max(lr)]),
            })
            .unwrap_or_default()
    }

    /// The most tensors that it may come to remember of a parameter, each of the parameter's size.
    pub fn max_state_tensors(&self) -> usize {
        self.parameters
            .slots
            .values()
            .map(|slot| self.parameters.group(slot).max_tensors())
            .max()
            .unwrap_or(0)
    }

    /// The arguments.
    pub fn config(&self) -> &OptimizerConfig {
        &self.config
    }

    /// Updates every parameter that has a gradient, and leaves the others alone: frozen ones, and
    /// those that the loss does not depend on. Parameters keep their ids and devices.
    ///
    /// `lr` is what the schedule says for the optimiser's own learning rate; groups with another
    /// one keep their ratio to it. A schedule that is not a mere factor, such as a cosine that ends
    /// at `eta_min`, treats groups exactly as torch does through [`step_at`](Self::step_at).
    pub fn step<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> M {
        let rates = Proportional { lr, base_lr: self.config.lr() };
        self.step_at(&rates, model, gradients)
    }

    /// [`step`](Self::step) with everything that a schedule says for one step, such as
    /// [`Schedule::at`](crate::schedule::Schedule::at).
    pub fn step_at<M: Module>(&mut self, rates: &dyn Rates, model: M, gradients: GradientsParams) -> M {
        walk::change(model, &mut Step::new(&self.config, &mut self.parameters, rates, gradients))
    }

    /// Everything that the optimiser remembers, read back from the device.
    ///
    /// # Errors
    /// [`OptimizerError::Device`] if the device will not give a tensor back.
    pub fn state(&self) -> Result<OptimizerState, OptimizerError> {
        restore::state(self.config.name(), &self.parameters)
    }

    /// Goes on from `state`: the next step gives the bits that it would have given where the state
    /// was taken. Nothing changes if there is an error.
    ///
    /// # Errors
    /// [`OptimizerError::NotBound`] before [`bind`](Self::bind); otherwise every parameter and
    /// tensor that is unknown, missing or of another shape, in one error.
    pub fn load_state(&mut self, state: OptimizerState, device: &Device) -> Result<(), OptimizerError> {
        restore::load(self.config.name(), &mut self.parameters, state, device)
    }
}
