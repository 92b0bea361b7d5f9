//! A straight line between two shares of the rate.
//!
//! # Source
//! `torch.optim.lr_scheduler.LinearLR`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [linear](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Share of the rate at the beginning.
    pub start_factor: f64,
    /// Share of the rate at the end.
    pub end_factor: f64,
    /// Length of the line; the rate stays where it ends.
    pub total_iters: u64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for LinearConfig {
    fn default() -> Self {
        Self { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5, per: Per::Epoch, warmup: None }
    }
}

impl Component for LinearConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let is_allowed = self.start_factor > 0.0 && self.start_factor <= 1.0;
        check::that(is_allowed, "start_factor", self.start_factor, "0 < start_factor <= 1")?;
        check::unit_interval("end_factor", self.end_factor)?;
        check::at_least_one("total_iters", self.total_iters)
    }
}

impl LrSchedule for LinearConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Line { start: self.start_factor, end: self.end_factor, length: self.total_iters }))
    }
}

#[derive(Debug)]
struct Line {
    start: f64,
    end: f64,
    length: u64,
}

impl Curve for Line {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        let progress = t.min(self.length) as f64 / self.length as f64;
        base_lr * (self.start + (self.end - self.start) * progress)
    }
}
