//! The list of optimisers: the table `[optimizer]` of a config.

use firebrick_component::{ArgumentError, Component, NoEffect, check, components};

use super::adadelta::AdadeltaConfig;
use super::adagrad::AdagradConfig;
use super::adam::AdamConfig;
use super::adamax::AdamaxConfig;
use super::adamw::AdamWConfig;
use super::lion::LionConfig;
use super::muon::MuonConfig;
use super::nadam::NAdamConfig;
use super::radam::RAdamConfig;
use super::rmsprop::RmsPropConfig;
use super::rule::Rule;
use super::sgd::SgdConfig;

components! {
    /// Which optimiser, and its arguments.
    pub enum OptimizerConfig: dyn Rule, "optimizer" {
        /// Stochastic gradient descent, with momentum.
        Sgd(SgdConfig) = "sgd",
        /// Adam, AMSGrad.
        Adam(AdamConfig) = "adam",
        /// Adam with decoupled weight decay.
        AdamW(AdamWConfig) = "adamw",
        /// RMSprop.
        RmsProp(RmsPropConfig) = "rmsprop",
        /// Adagrad.
        Adagrad(AdagradConfig) = "adagrad",
        /// Adadelta.
        Adadelta(AdadeltaConfig) = "adadelta",
        /// Adam with the infinity norm.
        Adamax(AdamaxConfig) = "adamax",
        /// Adam with Nesterov momentum.
        NAdam(NAdamConfig) = "nadam",
        /// Adam with a rectified variance.
        RAdam(RAdamConfig) = "radam",
        /// Sign of the momentum.
        Lion(LionConfig) = "lion",
        /// Orthogonalised momentum for matrices, AdamW for the rest.
        Muon(MuonConfig) = "muon",
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Sgd(SgdConfig::default())
    }
}

impl OptimizerConfig {
    /// Checks every argument and every group by itself. Whether the groups' patterns match
    /// anything shows only with the model: see [`Optimizer::bind`](super::Optimizer::bind).
    ///
    /// # Errors
    /// The first wrong argument; its key is its path in the table `[optimizer]`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        Component::validate(&**self)?;
        if let Some(decay) = self.lr_decay_by_depth() {
            check::that(
                decay > 0.0 && decay <= 1.0,
                "lr_decay_by_depth",
                decay,
                "a number above 0, at most 1",
            )?;
        }
        (0..self.groups().len()).try_for_each(|index| self.validate_group(index))
    }

    /// Arguments that change nothing beside the others.
    pub fn without_effect(&self) -> Vec<NoEffect> {
        let mut found = Component::without_effect(&**self);
        let mut config = self.clone();
        let decays = config.tunables().weight_decay.is_some_and(|decay| *decay != 0.0);
        if self.no_decay_on_bias_and_norm() && !decays {
            found.push(NoEffect::new(
                "no_decay_on_bias_and_norm",
                "there is no weight decay (weight_decay = 0)",
            ));
        }
        if self.lr_decay_by_depth() == Some(1.0) {
            found.push(NoEffect::new("lr_decay_by_depth", "1 times a rate is the rate"));
        }
        found
    }

    /// Whether a schedule can cycle this optimiser's momentum: it has `momentum` or `betas`.
    pub fn has_momentum(&self) -> bool {
        let mut config = self.clone();
        let tunables = config.tunables();
        tunables.momentum.is_some() || tunables.betas.is_some()
    }

    /// A group sets only what the optimiser has, and within range.
    fn validate_group(&self, index: usize) -> Result<(), ArgumentError> {
        let within = |error: ArgumentError| error.within(format!("groups[{index}]"));
        let mut changed = self.clone();
        let Some(argument) = self.groups()[index].apply_to(changed.tunables()) else {
            return Component::validate(&*changed).map_err(within);
        };
        let known: Vec<String> =
            changed.tunables().names().into_iter().map(|name| format!("`{name}`")).collect();
        let expected = format!("an argument that a group of {} may set ({})", self.name(), known.join(", "));
        Err(within(ArgumentError::new(argument, expected, format!("`{argument}`"))))
    }
}
