//! One rise to `max_lr` and one fall far below where it began, while the momentum does the opposite.
//!
//! # Source
//! `torch.optim.lr_scheduler.OneCycleLR`; Smith and Topin, <https://arxiv.org/abs/1708.07120>.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// How a value goes from one end of a phase to the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnealStrategy {
    /// Along half a cosine wave.
    #[default]
    Cos,
    /// Along a straight line.
    Linear,
}

impl AnnealStrategy {
    fn between(self, [start, end]: [f64; 2], progress: f64) -> f64 {
        match self {
            Self::Cos => {
                let height = (std::f64::consts::PI * progress).cos() + 1.0;
                end + (start - end) / 2.0 * height
            }
            Self::Linear => (end - start) * progress + start,
        }
    }
}

/// Arguments of [one_cycle](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OneCycleConfig {
    /// Rate at the top; left out, the optimiser's own rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lr: Option<f64>,
    /// Length of the cycle; left out, all epochs after the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_steps: Option<u64>,
    /// Share of the cycle that the rise takes.
    pub pct_start: f64,
    /// Shape of the rise and the fall.
    pub anneal_strategy: AnnealStrategy,
    /// Whether the momentum moves against the rate.
    pub cycle_momentum: bool,
    /// Momentum at the top of the rate.
    pub base_momentum: f64,
    /// Momentum at both ends.
    pub max_momentum: f64,
    /// `max_lr` is this many times the first rate.
    pub div_factor: f64,
    /// The first rate is this many times the last.
    pub final_div_factor: f64,
    /// Fall to the first rate as long as the rise took, and only then to the last.
    pub three_phase: bool,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for OneCycleConfig {
    fn default() -> Self {
        Self {
            max_lr: None,
            total_steps: None,
            pct_start: 0.3,
            anneal_strategy: AnnealStrategy::Cos,
            cycle_momentum: true,
            base_momentum: 0.85,
            max_momentum: 0.95,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
            per: Per::Step,
            warmup: None,
        }
    }
}

impl Component for OneCycleConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("max_lr", self.max_lr.unwrap_or(0.0))?;
        // One step has no way from one rate to another; torch divides by zero there.
        let total_steps = self.total_steps.unwrap_or(2);
        check::that(total_steps >= 2, "total_steps", total_steps, "a whole number >= 2")?;
        check::unit_interval("pct_start", self.pct_start)?;
        check::unit_interval("base_momentum", self.base_momentum)?;
        check::unit_interval("max_momentum", self.max_momentum)?;
        check::positive("div_factor", self.div_factor)?;
        check::positive("final_div_factor", self.final_div_factor)
    }
}

impl LrSchedule for OneCycleConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn cycles_momentum(&self) -> bool {
        self.cycle_momentum
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, base_lr: f64, length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        let max_lr = self.max_lr.unwrap_or(base_lr);
        let total_steps = self.total_steps.unwrap_or(length);
        Ok(Box::new(OneCycle::new(self, max_lr, total_steps as f64)))
    }
}

#[derive(Debug)]
struct OneCycle {
    phases: Vec<Phase>,
    anneal: AnnealStrategy,
    cycle_momentum: bool,
}

#[derive(Debug)]
struct Phase {
    end_step: f64,
    lr: [f64; 2],
    momentum: [f64; 2],
}

impl OneCycle {
    fn new(config: &OneCycleConfig, max_lr: f64, total_steps: f64) -> Self {
        let first_lr = max_lr / config.div_factor;
        let last_lr = first_lr / config.final_div_factor;
        let (low, high) = (config.base_momentum, config.max_momentum);
        let rise_steps = config.pct_start * total_steps;
        let rise = Phase { end_step: rise_steps - 1.0, lr: [first_lr, max_lr], momentum: [high, low] };
        let end_step = total_steps - 1.0;
        let phases = if config.three_phase {
            let fall_end = 2.0 * config.pct_start * total_steps - 2.0;
            vec![
                rise,
                Phase { end_step: fall_end, lr: [max_lr, first_lr], momentum: [low, high] },
                Phase { end_step, lr: [first_lr, last_lr], momentum: [high, high] },
            ]
        } else {
            vec![rise, Phase { end_step, lr: [max_lr, last_lr], momentum: [low, high] }]
        };
        Self { phases, anneal: config.anneal_strategy, cycle_momentum: config.cycle_momentum }
    }

    /// Picks `ends` of the phase at `t` and goes between them. Behind the last step, where torch
    /// refuses to go on, everything stays as it was there.
    fn value(&self, t: u64, ends: impl Fn(&Phase) -> [f64; 2]) -> f64 {
        let step = t as f64;
        let mut start_step = 0.0;
        let mut value = 0.0;
        for phase in &self.phases {
            let length = phase.end_step - start_step;
            let progress = if length > 0.0 { ((step - start_step) / length).min(1.0) } else { 1.0 };
            value = self.anneal.between(ends(phase), progress);
            if step <= phase.end_step {
                break;
            }
            start_step = phase.end_step;
        }
        value
    }
}

impl Curve for OneCycle {
    fn lr(&self, _base_lr: f64, t: u64) -> f64 {
        self.value(t, |phase| phase.lr)
    }

    fn momentum(&self, t: u64) -> Option<f64> {
        self.cycle_momentum.then(|| self.value(t, |phase| phase.momentum))
    }
}
