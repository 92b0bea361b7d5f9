//! Learning-rate schedules with torch's names, arguments and numbers.
//!
//! One file is one schedule: its arguments and its curve, a pure function of the step (or epoch) in
//! f64. Nothing is carried from step to step, so a resumed run needs no schedule state; the one
//! exception is [`plateau`], which is told a metric and counts.
//!
//! **Steps or epochs.** `per` says whether a curve advances at each optimiser step or at each epoch.
//! Left out, it is what torch's examples do: `one_cycle` and `cyclic` go by steps, everything else
//! by epochs. Arguments such as `T_max` and `milestones` are counted in the same unit.
//!
//! **Warm-up.** Any schedule may have one in front: `warmup = { steps = 500 }` or
//! `warmup = { epochs = 5 }`. It always advances at each step, rises in a straight line from
//! `start_factor` times the schedule's first learning rate to that rate, and only then does the
//! schedule begin at its own zero: torch's `SequentialLR` of a `LinearLR` and the schedule.
//!
//! **Length.** `T_max` (cosine), `T_0` (cosine_warm_restarts) and `total_steps` (one_cycle) may be
//! left out: they are then what remains of the run after the warm-up, in the schedule's unit.

use std::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::optimizer::{ArgumentError, Rates};

mod config;
mod constant;
mod cosine;
mod cosine_warm_restarts;
mod cyclic;
mod exponential;
mod linear;
mod multistep;
mod none;
mod one_cycle;
pub mod plateau;
mod polynomial;
mod step;
mod warmup;

pub use config::ScheduleConfig;
pub use constant::ConstantConfig;
pub use cosine::CosineConfig;
pub use cosine_warm_restarts::CosineWarmRestartsConfig;
pub use cyclic::{CyclicConfig, CyclicMode};
pub use exponential::ExponentialConfig;
pub use linear::LinearConfig;
pub use multistep::MultistepConfig;
pub use none::NoneConfig;
pub use one_cycle::{AnnealStrategy, OneCycleConfig};
pub use plateau::{PlateauConfig, PlateauMetric, PlateauMode, PlateauState, ThresholdMode};
pub use polynomial::PolynomialConfig;
pub use step::StepConfig;
pub use warmup::WarmupConfig;

use plateau::Plateau;
use warmup::Warmup;

/// When a schedule advances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// At each optimiser step.
    Step,
    /// At each epoch: the rate is the same for all of an epoch's steps.
    #[default]
    Epoch,
}

/// A schedule that cannot be built or restored.
#[derive(Debug, Error)]
pub enum ScheduleError {
    /// An argument is outside its range, or a required one was left out.
    #[error("schedule {0}")]
    Argument(#[from] ArgumentError),
    /// The schedule cycles a momentum that the optimiser does not have.
    #[error(
        "schedule {schedule}: cycle_momentum = true needs an optimizer with momentum or betas, and {optimizer} \
         has neither: set cycle_momentum = false or choose another optimizer"
    )]
    NoMomentum {
        /// Name of the schedule.
        schedule: &'static str,
        /// Name of the optimiser.
        optimizer: &'static str,
    },
    /// Saved state is of another kind of schedule.
    #[error("the saved state has {found}, but the schedule {schedule} expects {expected}")]
    State {
        /// Name of the schedule in use.
        schedule: &'static str,
        /// What it expects.
        expected: &'static str,
        /// What was saved.
        found: &'static str,
    },
}

/// A schedule's shape: the rate at time `t`, counted in its unit from its own beginning.
trait Curve: Debug + Send + Sync {
    fn lr(&self, base_lr: f64, t: u64) -> f64;

    fn momentum(&self, _t: u64) -> Option<f64> {
        None
    }
}

/// What every schedule's arguments can be asked.
trait CurveConfig {
    fn check(&self) -> Result<(), ArgumentError>;
    fn warmup(&self) -> Option<&WarmupConfig>;
    fn per(&self) -> Per;

    /// The curve, for a run that has `length` units left after the warm-up, at least one, from an
    /// optimiser whose own rate is `base_lr`.
    fn curve(&self, base_lr: f64, length: u64) -> Result<Arc<dyn Curve>, ArgumentError>;
}

/// A schedule of one run: the learning rate, and momentum, of each step.
#[derive(Debug, Clone)]
pub struct Schedule {
    name: &'static str,
    base_lr: f64,
    warmup: Option<Warmup>,
    /// Steps in one unit of the curve.
    steps_per_unit: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Curve(Arc<dyn Curve>),
    Plateau(Plateau),
}

impl Schedule {
    /// The schedule of a run of `total_steps` optimiser steps, `steps_per_epoch` in each epoch, from
    /// an optimiser whose own learning rate is `base_lr`.
    ///
    /// # Errors
    /// Those of [`ScheduleConfig::validate`].
    pub fn new(
        config: &ScheduleConfig,
        base_lr: f64,
        total_steps: u64,
        steps_per_epoch: u64,
    ) -> Result<Self, ScheduleError> {
        config.validate()?;
        let arguments = config.arguments();
        let steps_per_epoch = steps_per_epoch.max(1);
        let warmup = arguments.warmup().map(|warmup| warmup.resolve(steps_per_epoch));
        let warmup_steps = warmup.as_ref().map_or(0, |warmup| warmup.num_steps);
        let steps_per_unit = match arguments.per() {
            Per::Step => 1,
            Per::Epoch => steps_per_epoch,
        };
        let length = total_steps.saturating_sub(warmup_steps).div_ceil(steps_per_unit).max(1);
        let kind = match config {
            ScheduleConfig::Plateau(plateau) => Kind::Plateau(Plateau::new(plateau)),
            _ => Kind::Curve(arguments.curve(base_lr, length)?),
        };
        Ok(Self { name: config.name(), base_lr, warmup, steps_per_unit, kind })
    }

    /// The learning rate of the step after `step` finished ones, so 0 for a run's first step.
    pub fn lr(&self, step: u64) -> f64 {
        self.lr_from(self.base_lr, step)
    }

    /// [`lr`](Self::lr) for parameters whose own rate is `base_lr`, as torch has it for each
    /// parameter group: `one_cycle` and `cyclic` give every group the same rate.
    pub fn lr_from(&self, base_lr: f64, step: u64) -> f64 {
        let rate = self.rate(base_lr, self.time(step));
        match &self.warmup {
            Some(warmup) if step < warmup.num_steps => rate * warmup.factor(step),
            _ => rate,
        }
    }

    /// The momentum, or `betas[0]`, of the step after `step` finished ones, if the schedule cycles
    /// it.
    pub fn momentum(&self, step: u64) -> Option<f64> {
        match &self.kind {
            Kind::Curve(curve) => curve.momentum(self.time(step)),
            Kind::Plateau(_) => None,
        }
    }

    /// Everything that the schedule says for the step after `step` finished ones, for
    /// [`Optimizer::step_at`](crate::optimizer::Optimizer::step_at).
    pub fn at(&self, step: u64) -> AtStep<'_> {
        AtStep { schedule: self, step }
    }

    /// Which metric the schedule wants to be told after each evaluation, if any.
    pub fn watches(&self) -> Option<PlateauMetric> {
        match &self.kind {
            Kind::Plateau(plateau) => Some(plateau.metric()),
            Kind::Curve(_) => None,
        }
    }

    /// Tells the schedule the metric that it [`watches`](Self::watches); schedules that watch none
    /// do not mind.
    pub fn observe(&mut self, metric: f64) {
        if let Kind::Plateau(plateau) = &mut self.kind {
            plateau.observe(metric);
        }
    }

    /// What a checkpoint must hold: nothing, except for `plateau`.
    pub fn state(&self) -> ScheduleState {
        match &self.kind {
            Kind::Plateau(plateau) => ScheduleState { plateau: Some(plateau.state()) },
            Kind::Curve(_) => ScheduleState::default(),
        }
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`ScheduleError::State`] if the state is of another kind of schedule.
    pub fn load_state(&mut self, state: ScheduleState) -> Result<(), ScheduleError> {
        let (expected, found) = match (&mut self.kind, state.plateau) {
            (Kind::Plateau(plateau), Some(saved)) => {
                plateau.load_state(saved);
                return Ok(());
            }
            (Kind::Curve(_), None) => return Ok(()),
            (Kind::Plateau(_), None) => ("the counters of plateau", "none"),
            (Kind::Curve(_), Some(_)) => ("none", "the counters of plateau"),
        };
        Err(ScheduleError::State { schedule: self.name, expected, found })
    }

    fn rate(&self, base_lr: f64, t: u64) -> f64 {
        match &self.kind {
            Kind::Curve(curve) => curve.lr(base_lr, t),
            Kind::Plateau(plateau) => plateau.lr(base_lr),
        }
    }

    /// Time on the curve, which stands still at zero during the warm-up.
    fn time(&self, step: u64) -> u64 {
        let warmup_steps = self.warmup.as_ref().map_or(0, |warmup| warmup.num_steps);
        step.saturating_sub(warmup_steps) / self.steps_per_unit
    }
}

/// A schedule at one step.
#[derive(Debug, Clone, Copy)]
pub struct AtStep<'a> {
    schedule: &'a Schedule,
    step: u64,
}

impl Rates for AtStep<'_> {
    fn lr(&self, base_lr: f64) -> f64 {
        self.schedule.lr_from(base_lr, self.step)
    }

    fn momentum(&self) -> Option<f64> {
        self.schedule.momentum(self.step)
    }
}

/// What a schedule remembers, for a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleState {
    /// The counters of `plateau`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau: Option<PlateauState>,
}
