//! Half a cosine wave from the rate down to `eta_min`, and up again in a run that is longer than `T_max`.
//!
//! # Source
//! `torch.optim.lr_scheduler.CosineAnnealingLR`; Loshchilov and Hutter,
//! <https://arxiv.org/abs/1608.03983>.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [cosine](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CosineConfig {
    /// Length of the half wave; left out, all epochs after the warm-up. Written `T_max`.
    #[serde(rename = "T_max", skip_serializing_if = "Option::is_none")]
    pub t_max: Option<u64>,
    /// Rate at the bottom.
    pub eta_min: f64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for CosineConfig {
    fn default() -> Self {
        Self { t_max: None, eta_min: 0.0, per: Per::Epoch, warmup: None }
    }
}

impl Component for CosineConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::at_least_one("T_max", self.t_max.unwrap_or(1))?;
        check::finite("eta_min", self.eta_min)
    }
}

impl LrSchedule for CosineConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        let period = self.t_max.unwrap_or(length);
        Ok(Box::new(Cosine { period, eta_min: self.eta_min }))
    }
}

#[derive(Debug)]
struct Cosine {
    period: u64,
    eta_min: f64,
}

impl Curve for Cosine {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        half_wave(base_lr, self.eta_min, t, self.period)
    }
}

/// From `top` at `t = 0` to `bottom` at `t = period`.
pub(super) fn half_wave(top: f64, bottom: f64, t: u64, period: u64) -> f64 {
    let angle = std::f64::consts::PI * t as f64 / period as f64;
    bottom + (top - bottom) * (1.0 + angle.cos()) / 2.0
}
