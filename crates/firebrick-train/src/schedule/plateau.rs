//! The rate times `factor` whenever a metric has stopped getting better.
//!
//! The metric is told after each evaluation. Only counters are kept, not rates: how often the rate
//! was reduced is enough to know it for every parameter group.
//!
//! # Source
//! `torch.optim.lr_scheduler.ReduceLROnPlateau`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::curve::{Curve, LrSchedule, Per};
use super::metric::PlateauMetric;
use super::warmup::WarmupConfig;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMode {
    /// Less is better.
    Min,
    /// More is better.
    Max,
}

/// What `threshold` is measured in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// A share of the best value.
    #[default]
    Rel,
    /// The metric's own unit.
    Abs,
}

/// Arguments of [plateau](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlateauConfig {
    /// What is watched.
    pub metric: PlateauMetric,
    /// Which way is better; left out, `min` for the loss and `max` for the accuracy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<PlateauMode>,
    /// Factor of each reduction.
    pub factor: f64,
    /// How many evaluations without improvement are borne.
    pub patience: u64,
    /// What counts as an improvement.
    pub threshold: f64,
    /// What `threshold` is measured in.
    pub threshold_mode: ThresholdMode,
    /// Evaluations after a reduction that are not counted.
    pub cooldown: u64,
    /// Lowest rate.
    pub min_lr: f64,
    /// Reductions smaller than this are left alone.
    pub eps: f64,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self {
            metric: PlateauMetric::Loss,
            mode: None,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
            warmup: None,
        }
    }
}

impl Component for PlateauConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::below_one("factor", self.factor)?;
        check::finite("threshold", self.threshold)?;
        check::non_negative("min_lr", self.min_lr)?;
        check::non_negative("eps", self.eps)
    }
}

impl LrSchedule for PlateauConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn watches(&self) -> Option<PlateauMetric> {
        Some(self.metric)
    }

    fn per(&self) -> Per {
        Per::Epoch
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Plateau::new(self)))
    }
}

/// What the schedule remembers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateauState {
    /// Best value so far; `None` before the first that is better than nothing.
    pub best: Option<f64>,
    /// Evaluations since then.
    pub num_bad_epochs: u64,
    /// Evaluations that are still not counted.
    pub cooldown_counter: u64,
    /// Reductions so far.
    pub num_reductions: u64,
}

/// The schedule at work.
#[derive(Debug)]
struct Plateau {
    config: PlateauConfig,
    state: PlateauState,
}

impl Plateau {
    fn new(config: &PlateauConfig) -> Self {
        let state = PlateauState { best: None, num_bad_epochs: 0, cooldown_counter: 0, num_reductions: 0 };
        Self { config: config.clone(), state }
    }
}

impl Curve for Plateau {
    fn lr(&self, base_lr: f64, _t: u64) -> f64 {
        let mut lr = base_lr;
        for _ in 0..self.state.num_reductions {
            let reduced = (lr * self.config.factor).max(self.config.min_lr);
            if lr - reduced <= self.config.eps {
                // Nothing will change any more, however long the run.
                break;
            }
            lr = reduced;
        }
        lr
    }

    fn observe(&mut self, metric: f64) {
        let state = &mut self.state;
        if is_better(&self.config, metric, state.best) {
            state.best = Some(metric);
            state.num_bad_epochs = 0;
        } else {
            state.num_bad_epochs += 1;
        }
        if state.cooldown_counter > 0 {
            state.cooldown_counter -= 1;
            state.num_bad_epochs = 0;
        }
        if state.num_bad_epochs > self.config.patience {
            state.num_reductions += 1;
            state.cooldown_counter = self.config.cooldown;
            state.num_bad_epochs = 0;
        }
    }

    fn state(&self) -> Option<Value> {
        let state = serde_json::to_value(self.state);
        Some(state.unwrap_or_else(|error| unreachable!("bug: four numbers are no JSON: {error}")))
    }

    fn load_state(&mut self, state: Value) -> Result<(), String> {
        self.state = serde_json::from_value(state).map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// NaN is never better.
fn is_better(config: &PlateauConfig, metric: f64, best: Option<f64>) -> bool {
    let mode = config.mode.unwrap_or(match config.metric {
        PlateauMetric::Loss => PlateauMode::Min,
        PlateauMetric::Accuracy => PlateauMode::Max,
    });
    let best = best.unwrap_or(match mode {
        PlateauMode::Min => f64::INFINITY,
        PlateauMode::Max => f64::NEG_INFINITY,
    });
    match (mode, config.threshold_mode) {
        (PlateauMode::Min, ThresholdMode::Rel) => metric < best * (1.0 - config.threshold),
        (PlateauMode::Min, ThresholdMode::Abs) => metric < best - config.threshold,
        (PlateauMode::Max, ThresholdMode::Rel) => metric > best * (config.threshold + 1.0),
        (PlateauMode::Max, ThresholdMode::Abs) => metric > best + config.threshold,
    }
}
