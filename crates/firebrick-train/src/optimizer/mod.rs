//! Optimisers with torch's names, arguments, defaults and order of operations.
//!
//! One file is one optimiser: its arguments, their checks and its update of one parameter. What is
//! the same for all of them stands in the files between: [`group`] (other arguments for some
//! parameters), [`state`] (saving and restoring), `update` (walking through the model).
//!
//! State is kept by parameter path, such as `conv1.weight`, never by Burn's random ids, so that it
//! finds its parameter again in another process. No step reads anything back from the device.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use serde::{Deserialize, Deserializer, Serialize};

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
pub(crate) mod argument;
mod error;
mod glob;
pub mod group;
mod lion;
mod muon;
mod nadam;
pub(crate) mod path;
mod radam;
mod restore;
mod rmsprop;
mod rule;
mod sgd;
pub mod state;
mod update;

pub use adadelta::AdadeltaConfig;
pub use adagrad::AdagradConfig;
pub use adam::AdamConfig;
pub use adamax::AdamaxConfig;
pub use adamw::AdamWConfig;
pub use argument::ArgumentError;
pub use error::OptimizerError;
pub use group::GroupConfig;
pub use lion::LionConfig;
pub use muon::{AdjustLr, MuonConfig};
pub use nadam::NAdamConfig;
pub use radam::RAdamConfig;
pub use rmsprop::RmsPropConfig;
pub use sgd::SgdConfig;
pub use state::{OptimizerState, ParameterState};

use group::Tunables;
use path::Location;
use rule::Rule;
use update::{Parameters, Visit};

pub(crate) use restore::{read_back, upload};
pub(crate) use rule::lerp;

/// What every optimiser's arguments can be asked.
trait RuleConfig {
    fn check(&self) -> Result<(), ArgumentError>;
    fn tunables(&mut self) -> Tunables<'_>;
    fn lr(&self) -> f64;
    fn groups(&self) -> &[GroupConfig];
    fn no_decay_on_bias_and_norm(&self) -> bool;
    fn rule(&self) -> Box<dyn Rule>;

    /// The optimiser for a parameter that this one is not made for.
    fn fallback(&self, _location: &Location) -> Option<OptimizerConfig> {
        None
    }
}

/// Which optimiser, and its arguments: the table `[optimizer]` of a config.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, with momentum.
    Sgd(SgdConfig),
    /// Adam, AMSGrad.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay.
    AdamW(AdamWConfig),
    /// RMSprop.
    RmsProp(RmsPropConfig),
    /// Adagrad.
    Adagrad(AdagradConfig),
    /// Adadelta.
    Adadelta(AdadeltaConfig),
    /// Adam with the infinity norm.
    Adamax(AdamaxConfig),
    /// Adam with Nesterov momentum.
    NAdam(NAdamConfig),
    /// Adam with a rectified variance.
    RAdam(RAdamConfig),
    /// Sign of the momentum.
    Lion(LionConfig),
    /// Orthogonalised momentum for matrices, AdamW for the rest.
    Muon(MuonConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Sgd(SgdConfig::default())
    }
}

impl OptimizerConfig {
    /// Every optimiser's name in a config.
    pub const NAMES: &'static [&'static str] = &[
        "sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "lion", "muon",
    ];

    /// The optimiser's name in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::RmsProp(_) => "rmsprop",
            Self::Adagrad(_) => "adagrad",
            Self::Adadelta(_) => "adadelta",
            Self::Adamax(_) => "adamax",
            Self::NAdam(_) => "nadam",
            Self::RAdam(_) => "radam",
            Self::Lion(_) => "lion",
            Self::Muon(_) => "muon",
        }
    }

    /// Reads the arguments of the optimiser called `name`; `None` if there is no such optimiser.
    ///
    /// # Errors
    /// The deserializer's, for an unknown argument or one of the wrong type.
    pub fn deserialize_named<'de, D: Deserializer<'de>>(
        name: &str,
        arguments: D,
    ) -> Option<Result<Self, D::Error>> {
        Some(match name {
            "sgd" => SgdConfig::deserialize(arguments).map(Self::Sgd),
            "adam" => AdamConfig::deserialize(arguments).map(Self::Adam),
            "adamw" => AdamWConfig::deserialize(arguments).map(Self::AdamW),
            "rmsprop" => RmsPropConfig::deserialize(arguments).map(Self::RmsProp),
            "adagrad" => AdagradConfig::deserialize(arguments).map(Self::Adagrad),
            "adadelta" => AdadeltaConfig::deserialize(arguments).map(Self::Adadelta),
            "adamax" => AdamaxConfig::deserialize(arguments).map(Self::Adamax),
            "nadam" => NAdamConfig::deserialize(arguments).map(Self::NAdam),
            "radam" => RAdamConfig::deserialize(arguments).map(Self::RAdam),
            "lion" => LionConfig::deserialize(arguments).map(Self::Lion),
            "muon" => MuonConfig::deserialize(arguments).map(Self::Muon),
            _ => return None,
        })
    }

    /// Checks every argument and every group by itself. Whether the groups' patterns match
    /// anything shows only with the model: see [`Optimizer::bind`].
    ///
    /// # Errors
    /// Names the argument, its value and what is allowed.
    pub fn validate(&self) -> Result<(), OptimizerError> {
        self.check_arguments()?;
        group::validate(self)
    }

    /// The learning rate before any schedule.
    pub fn lr(&self) -> f64 {
        self.arguments().lr()
    }

    /// Whether a schedule can cycle this optimiser's momentum: it has `momentum` or `betas`.
    pub fn has_momentum(&self) -> bool {
        let mut config = self.clone();
        let tunables = config.tunables();
        tunables.momentum.is_some() || tunables.betas.is_some()
    }

    fn arguments(&self) -> &dyn RuleConfig {
        match self {
            Self::Sgd(config) => config,
            Self::Adam(config) => config,
            Self::AdamW(config) => config,
            Self::RmsProp(config) => config,
            Self::Adagrad(config) => config,
            Self::Adadelta(config) => config,
            Self::Adamax(config) => config,
            Self::NAdam(config) => config,
            Self::RAdam(config) => config,
            Self::Lion(config) => config,
            Self::Muon(config) => config,
        }
    }

    fn tunables(&mut self) -> Tunables<'_> {
        match self {
            Self::Sgd(config) => config.tunables(),
            Self::Adam(config) => config.tunables(),
            Self::AdamW(config) => config.tunables(),
            Self::RmsProp(config) => config.tunables(),
            Self::Adagrad(config) => config.tunables(),
            Self::Adadelta(config) => config.tunables(),
            Self::Adamax(config) => config.tunables(),
            Self::NAdam(config) => config.tunables(),
            Self::RAdam(config) => config.tunables(),
            Self::Lion(config) => config.tunables(),
            Self::Muon(config) => config.tunables(),
        }
    }

    fn check_arguments(&self) -> Result<(), ArgumentError> {
        self.arguments().check()
    }

    fn groups(&self) -> &[GroupConfig] {
        self.arguments().groups()
    }

    fn no_decay_on_bias_and_norm(&self) -> bool {
        self.arguments().no_decay_on_bias_and_norm()
    }

    fn fallback(&self, location: &Location) -> Option<Self> {
        self.arguments().fallback(location)
    }

    fn rule(&self) -> Box<dyn Rule> {
        self.arguments().rule()
    }
}

/// What a schedule says for one step.
pub trait Rates: Sync {
    /// The learning rate of the parameters whose rate before the schedule is `base_lr`.
    fn lr(&self, base_lr: f64) -> f64;

    /// The momentum, or `betas[0]`, where the schedule cycles it.
    fn momentum(&self) -> Option<f64> {
        None
    }
}

/// One learning rate for the optimiser's own parameters; groups keep their ratio to it.
struct Proportional {
    lr: f64,
    base_lr: f64,
}

impl Rates for Proportional {
    fn lr(&self, base_lr: f64) -> f64 {
        if base_lr == self.base_lr {
            self.lr
        } else if self.base_lr == 0.0 {
            base_lr
        } else {
            base_lr * (self.lr / self.base_lr)
        }
    }
}

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

    /// Learns the model's trainable parameters and sorts them into the config's groups.
    ///
    /// # Errors
    /// A group that matches no parameter, or a model without any that requires a gradient.
    pub fn bind<M: Module>(&mut self, model: &M) -> Result<(), OptimizerError> {
        let mut visit = Visit::new(&self.config, &mut self.parameters);
        model.visit(&mut visit);
        self.parameters.check_bound(&self.config)
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
        model.map(&mut update::Step::new(&self.config, &mut self.parameters, rates, gradients))
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
