//! Up and down between two rates, while the momentum does the opposite.
//!
//! # Source
//! `torch.optim.lr_scheduler.CyclicLR`; Smith, <https://arxiv.org/abs/1506.01186>.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// How the tops of the cycles change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CyclicMode {
    /// They stay.
    #[default]
    Triangular,
    /// Each is half as high as the one before.
    Triangular2,
    /// They shrink by `gamma` with each step.
    ExpRange,
}

/// Arguments of [cyclic](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CyclicConfig {
    /// Lowest rate; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_lr: Option<f64>,
    /// Rate at the top of the first cycle; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lr: Option<f64>,
    /// Length of a rise.
    pub step_size_up: u64,
    /// Length of a fall; left out, that of the rise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_size_down: Option<u64>,
    /// How the tops change from cycle to cycle.
    pub mode: CyclicMode,
    /// Factor of `exp_range`.
    pub gamma: f64,
    /// Whether the momentum moves against the rate.
    pub cycle_momentum: bool,
    /// Momentum at the top of the rate.
    pub base_momentum: f64,
    /// Momentum at the bottom of the rate.
    pub max_momentum: f64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for CyclicConfig {
    fn default() -> Self {
        Self {
            base_lr: None,
            max_lr: None,
            step_size_up: 2000,
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: 1.0,
            cycle_momentum: true,
            base_momentum: 0.8,
            max_momentum: 0.9,
            per: Per::Step,
            warmup: None,
        }
    }
}

impl CyclicConfig {
    fn required_rates(&self) -> Result<[f64; 2], ArgumentError> {
        let expected = "a finite number >= 0";
        let base_lr = check::required("base_lr", self.base_lr, expected)?;
        Ok([base_lr, check::required("max_lr", self.max_lr, expected)?])
    }
}

impl Component for CyclicConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let [base_lr, max_lr] = self.required_rates()?;
        check::non_negative("base_lr", base_lr)?;
        check::non_negative("max_lr", max_lr)?;
        check::at_least_one("step_size_up", self.step_size_up)?;
        check::at_least_one("step_size_down", self.step_size_down.unwrap_or(1))?;
        check::finite("gamma", self.gamma)?;
        check::unit_interval("base_momentum", self.base_momentum)?;
        check::unit_interval("max_momentum", self.max_momentum)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        let has_effect = self.mode == CyclicMode::ExpRange || self.gamma == Self::default().gamma;
        NoEffect::unless(has_effect, "gamma", "only mode = \"exp_range\" has such a factor")
    }
}

impl LrSchedule for CyclicConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn cycles_momentum(&self) -> bool {
        self.cycle_momentum
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        let step_size_up = self.step_size_up as f64;
        let step_size_down = self.step_size_down.map_or(step_size_up, |steps| steps as f64);
        let total_size = step_size_up + step_size_down;
        Ok(Box::new(Cyclic {
            lr: self.required_rates()?,
            momentum: self.cycle_momentum.then_some([self.base_momentum, self.max_momentum]),
            total_size,
            rise_share: step_size_up / total_size,
            mode: self.mode,
            gamma: self.gamma,
        }))
    }
}

#[derive(Debug)]
struct Cyclic {
    lr: [f64; 2],
    momentum: Option<[f64; 2]>,
    total_size: f64,
    rise_share: f64,
    mode: CyclicMode,
    gamma: f64,
}

impl Cyclic {
    /// How high above the bottom `t` is, as a share of the distance to the first cycle's top.
    fn height(&self, t: u64) -> f64 {
        let step = t as f64;
        let cycle = (1.0 + step / self.total_size).floor();
        let within = 1.0 + step / self.total_size - cycle;
        let height = if within <= self.rise_share {
            within / self.rise_share
        } else {
            (within - 1.0) / (self.rise_share - 1.0)
        };
        let scale = match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 1.0 / 2.0_f64.powf(cycle - 1.0),
            CyclicMode::ExpRange => self.gamma.powf(step),
        };
        height * scale
    }
}

impl Curve for Cyclic {
    fn lr(&self, _base_lr: f64, t: u64) -> f64 {
        let [bottom, top] = self.lr;
        bottom + (top - bottom) * self.height(t)
    }

    fn momentum(&self, t: u64) -> Option<f64> {
        self.momentum.map(|[low, high]| high - (high - low) * self.height(t))
    }
}
