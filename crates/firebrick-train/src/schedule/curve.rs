//! What a schedule is: its arguments, and the curve that they stand for.

use std::fmt::Debug;

use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::metric::PlateauMetric;
use super::warmup::WarmupConfig;

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

/// A schedule at work: the rate at time `t`, counted in the schedule's unit from its own beginning.
pub trait Curve: Debug + Send + Sync {
    /// The learning rate of parameters whose rate before the schedule is `base_lr`.
    fn lr(&self, base_lr: f64, t: u64) -> f64;

    /// The momentum, or `betas[0]`, if the schedule moves it.
    fn momentum(&self, _t: u64) -> Option<f64> {
        None
    }

    /// Hears the metric that its [`LrSchedule::watches`] names, after each evaluation.
    fn observe(&mut self, _metric: f64) {}

    /// What it remembers of the metrics, for a checkpoint; none if it remembers nothing.
    fn state(&self) -> Option<Value> {
        None
    }

    /// Goes on from what [`state`](Self::state) gave; called only on curves that give one.
    ///
    /// # Errors
    /// Why the state cannot be read.
    fn load_state(&mut self, _state: Value) -> Result<(), String> {
        Ok(())
    }
}

/// One schedule. Implemented by the struct of its arguments, whose [`Component::validate`] checks them.
///
/// A program brings its own into configs by
/// [`ScheduleConfig::register`](super::ScheduleConfig::register).
pub trait LrSchedule: Component {
    /// The curve, for a run that has `length` units left after the warm-up, at least one, from an
    /// optimiser whose own rate is `base_lr`.
    ///
    /// # Errors
    /// A required argument that was left out; `validate` has refused that already.
    fn curve(&self, base_lr: f64, length: u64) -> Result<Box<dyn Curve>, ArgumentError>;

    /// When the schedule advances.
    fn per(&self) -> Per {
        Per::Epoch
    }

    /// A rise in front of the schedule.
    fn warmup(&self) -> Option<&WarmupConfig> {
        None
    }

    /// Whether the schedule moves the momentum too.
    fn cycles_momentum(&self) -> bool {
        false
    }

    /// Which metric the schedule wants to be told after each evaluation, if any.
    fn watches(&self) -> Option<PlateauMetric> {
        None
    }
}
