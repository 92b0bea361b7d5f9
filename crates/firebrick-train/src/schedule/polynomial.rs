//! Down to zero along a power of what is left of the way.
//!
//! # Source
//! `torch.optim.lr_scheduler.PolynomialLR`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [polynomial](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolynomialConfig {
    /// Length of the way; the rate is zero from there on.
    pub total_iters: u64,
    /// Power of what is left of the way.
    pub power: f64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for PolynomialConfig {
    fn default() -> Self {
        Self { total_iters: 5, power: 1.0, per: Per::Epoch, warmup: None }
    }
}

impl Component for PolynomialConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::at_least_one("total_iters", self.total_iters)?;
        check::positive("power", self.power)
    }
}

impl LrSchedule for PolynomialConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Fall { length: self.total_iters, power: self.power }))
    }
}

#[derive(Debug)]
struct Fall {
    length: u64,
    power: f64,
}

impl Curve for Fall {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        let progress = t.min(self.length) as f64 / self.length as f64;
        base_lr * (1.0 - progress).powf(self.power)
    }
}
