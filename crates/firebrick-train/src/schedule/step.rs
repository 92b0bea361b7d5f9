//! The rate times `gamma` every `step_size` epochs.
//!
//! # Source
//! `torch.optim.lr_scheduler.StepLR`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [step](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepConfig {
    /// Length of a stair; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_size: Option<u64>,
    /// Factor from each stair to the next.
    pub gamma: f64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for StepConfig {
    fn default() -> Self {
        Self { step_size: None, gamma: 0.1, per: Per::Epoch, warmup: None }
    }
}

impl StepConfig {
    fn required_step_size(&self) -> Result<u64, ArgumentError> {
        check::required("step_size", self.step_size, "a whole number >= 1")
    }
}

impl Component for StepConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::at_least_one("step_size", self.required_step_size()?)?;
        check::finite("gamma", self.gamma)
    }
}

impl LrSchedule for StepConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        let step_size = self.required_step_size()?;
        Ok(Box::new(Stairs { step_size, gamma: self.gamma }))
    }
}

#[derive(Debug)]
struct Stairs {
    step_size: u64,
    gamma: f64,
}

impl Curve for Stairs {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        base_lr * self.gamma.powf((t / self.step_size) as f64)
    }
}
