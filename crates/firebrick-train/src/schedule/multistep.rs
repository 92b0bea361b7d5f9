//! The rate times `gamma` at each milestone.
//!
//! # Source
//! `torch.optim.lr_scheduler.MultiStepLR`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [multistep](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultistepConfig {
    /// When the rate changes; required. A milestone given twice counts twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milestones: Option<Vec<u64>>,
    /// Factor at each milestone.
    pub gamma: f64,
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for MultistepConfig {
    fn default() -> Self {
        Self { milestones: None, gamma: 0.1, per: Per::Epoch, warmup: None }
    }
}

impl MultistepConfig {
    fn required_milestones(&self) -> Result<&Vec<u64>, ArgumentError> {
        check::required("milestones", self.milestones.as_ref(), "a list of whole numbers")
    }
}

impl Component for MultistepConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.required_milestones()?;
        check::finite("gamma", self.gamma)
    }
}

impl LrSchedule for MultistepConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        let milestones = self.required_milestones()?.clone();
        Ok(Box::new(Milestones { milestones, gamma: self.gamma }))
    }
}

#[derive(Debug)]
struct Milestones {
    milestones: Vec<u64>,
    gamma: f64,
}

impl Curve for Milestones {
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        let num_passed = self.milestones.iter().filter(|&&milestone| milestone <= t).count();
        base_lr * self.gamma.powf(num_passed as f64)
    }
}
