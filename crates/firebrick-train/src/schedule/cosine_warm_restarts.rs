//! Half cosine waves one after the other, each beginning again at the full rate and each `T_mult`
//! times as long as the one before.
//!
//! # Source
//! `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`; Loshchilov and Hutter,
//! <https://arxiv.org/abs/1608.03983>.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::cosine::half_wave;
use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [cosine_warm_restarts](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CosineWarmRestartsConfig {
    /// Length of the first wave; left out, all epochs after the warm-up. Written `T_0`.
    #[serde(rename = "T_0", skip_serializing_if = "Option::is_none")]
    pub t_0: Option<u64>,
    /// How many times as long each wave is as the one before. Written `T_mult`.
    #[serde(rename = "T_mult")]
    pub t_mult: u64,
    /// Rate at the bottom.
    pub eta_min: f64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for CosineWarmRestartsConfig {
    fn default() -> Self {
        Self { t_0: None, t_mult: 1, eta_min: 0.0, per: Per::Epoch, warmup: None }
    }
}

impl Component for CosineWarmRestartsConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::at_least_one("T_0", self.t_0.unwrap_or(1))?;
        check::at_least_one("T_mult", self.t_mult)?;
        check::finite("eta_min", self.eta_min)
    }
}

impl LrSchedule for CosineWarmRestartsConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        let first_period = self.t_0.unwrap_or(length);
        Ok(Box::new(Waves { first_period, growth: self.t_mult, eta_min: self.eta_min }))
    }
}

#[derive(Debug)]
struct Waves {
    first_period: u64,
    growth: u64,
    eta_min: f64,
}

impl Waves {
    /// How far into its wave `t` is, and how long that wave is.
    fn place(&self, mut t: u64) -> (u64, u64) {
        let mut period = self.first_period;
        if self.growth == 1 {
            return (t % period, period);
        }
        while t >= period {
            t -= period;
            period = period.saturating_mul(self.growth);
        }
        (t, period)
    }
}

impl Curve for Waves {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        let (within, period) = self.place(t);
        half_wave(base_lr, self.eta_min, within, period)
    }
}
