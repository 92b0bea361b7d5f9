//! The schedule of one run: a curve, the warm-up before it, and how steps become the curve's time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::ScheduleConfig;
use super::curve::{Curve, Per};
use super::error::ScheduleError;
use super::metric::PlateauMetric;
use super::warmup::Warmup;
use crate::optimizer::Rates;

/// A schedule of one run: the learning rate, and momentum, of each step.
#[derive(Debug)]
pub struct Schedule {
    name: &'static str,
    base_lr: f64,
    warmup: Option<Warmup>,
    /// Steps in one unit of the curve.
    steps_per_unit: u64,
    watches: Option<PlateauMetric>,
    curve: Box<dyn Curve>,
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
        let steps_per_epoch = steps_per_epoch.max(1);
        let warmup = config.warmup().map(|warmup| warmup.resolve(steps_per_epoch));
        let warmup_steps = warmup.as_ref().map_or(0, |warmup| warmup.num_steps);
        let steps_per_unit = match config.per() {
            Per::Step => 1,
            Per::Epoch => steps_per_epoch,
        };
        let length = total_steps.saturating_sub(warmup_steps).div_ceil(steps_per_unit).max(1);
        let curve = config.curve(base_lr, length)?;
        Ok(Self { name: config.name(), base_lr, warmup, steps_per_unit, watches: config.watches(), curve })
    }

    /// The learning rate of the step after `step` finished ones, so 0 for a run's first step.
    pub fn lr(&self, step: u64) -> f64 {
        self.lr_from(self.base_lr, step)
    }

    /// [`lr`](Self::lr) for parameters whose own rate is `base_lr`, as torch has it for each
    /// parameter group: `one_cycle` and `cyclic` give every group the same rate.
    pub fn lr_from(&self, base_lr: f64, step: u64) -> f64 {
        let rate = self.curve.lr(base_lr, self.time(step));
        match &self.warmup {
            Some(warmup) if step < warmup.num_steps => rate * warmup.factor(step),
            _ => rate,
        }
    }

    /// The momentum, or `betas[0]`, of the step after `step` finished ones, if the schedule cycles
    /// it.
    pub fn momentum(&self, step: u64) -> Option<f64> {
        self.curve.momentum(self.time(step))
    }

    /// Everything that the schedule says for the step after `step` finished ones, for
    /// [`Optimizer::step_at`](crate::optimizer::Optimizer::step_at).
    pub fn at(&self, step: u64) -> AtStep<'_> {
        AtStep { schedule: self, step }
    }

    /// Which metric the schedule wants to be told after each evaluation, if any.
    pub fn watches(&self) -> Option<PlateauMetric> {
        self.watches
    }

    /// Tells the schedule the metric that it [`watches`](Self::watches); schedules that watch none
    /// do not mind.
    pub fn observe(&mut self, metric: f64) {
        self.curve.observe(metric);
    }

    /// What a checkpoint must hold: nothing, except for schedules that watch a metric.
    pub fn state(&self) -> ScheduleState {
        ScheduleState(self.curve.state().map(|state| (self.name.to_owned(), state)).into_iter().collect())
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`ScheduleError::State`] if the state is of another kind of schedule, [`ScheduleError::Unreadable`] if it is
    /// damaged.
    pub fn load_state(&mut self, mut state: ScheduleState) -> Result<(), ScheduleError> {
        let own = state.0.remove(self.name);
        let expects_state = self.curve.state().is_some();
        match own {
            Some(own) if expects_state && state.0.is_empty() => {
                let loaded = self.curve.load_state(own);
                loaded.map_err(|reason| ScheduleError::Unreadable { schedule: self.name, reason })
            }
            None if !expects_state && state.0.is_empty() => Ok(()),
            own => {
                let found = state.0.into_keys().chain(own.map(|_| self.name.to_owned()));
                let expected = expects_state.then(|| self.name.to_owned());
                Err(ScheduleError::State {
                    schedule: self.name,
                    expected: counters_of(expected.into_iter()),
                    found: counters_of(found),
                })
            }
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

/// What a schedule remembers, for a checkpoint: by the schedule's name; empty for schedules that watch no metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScheduleState(BTreeMap<String, Value>);

/// What messages call the states of these schedules.
fn counters_of(schedules: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = schedules.collect();
    if names.is_empty() { "none".to_owned() } else { format!("the counters of {}", names.join(", ")) }
}
