//! The rate times `gamma` every epoch.
//!
//! # Source
//! `torch.optim.lr_scheduler.ExponentialLR`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [exponential](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExponentialConfig {
    /// Factor from each epoch to the next; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for ExponentialConfig {
    fn default() -> Self {
        Self { gamma: None, per: Per::Epoch, warmup: None }
    }
}

impl ExponentialConfig {
    fn required_gamma(&self) -> Result<f64, ArgumentError> {
        check::required("gamma", self.gamma, "a finite number")
    }
}

impl Component for ExponentialConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::finite("gamma", self.required_gamma()?)
    }
}

impl LrSchedule for ExponentialConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Decay { gamma: self.required_gamma()? }))
    }
}

#[derive(Debug)]
struct Decay {
    gamma: f64,
}

impl Curve for Decay {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        base_lr * self.gamma.powf(t as f64)
    }
}
