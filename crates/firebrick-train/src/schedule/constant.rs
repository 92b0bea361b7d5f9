//! A share of the rate for a while, then all of it.
//!
//! # Source
//! `torch.optim.lr_scheduler.ConstantLR`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [constant](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConstantConfig {
    /// Share of the rate in the beginning.
    pub factor: f64,
    /// How long that lasts.
    pub total_iters: u64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for ConstantConfig {
    fn default() -> Self {
        Self { factor: 1.0 / 3.0, total_iters: 5, per: Per::Epoch, warmup: None }
    }
}

impl Component for ConstantConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("factor", self.factor)
    }
}

impl LrSchedule for ConstantConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Pause { factor: self.factor, length: self.total_iters }))
    }
}

#[derive(Debug)]
struct Pause {
    factor: f64,
    length: u64,
}

impl Curve for Pause {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        if t < self.length { base_lr * self.factor } else { base_lr }
    }
}
