//! The rate times `gamma` at each milestone.
//!
//! # Source
//! `torch.optim.lr_scheduler.MultiStepLR`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Curve, CurveConfig, Per, WarmupConfig};
use crate::optimizer::ArgumentError;
use crate::optimizer::argument::Check;

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

impl CurveConfig for MultistepConfig {
    fn check(&self) -> Result<(), ArgumentError> {
        let check = Check("multistep");
        check.required("milestones", self.milestones.as_ref(), "a list of whole numbers")?;
        check.finite("gamma", self.gamma)
    }

    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Arc<dyn Curve>, ArgumentError> {
        let milestones = self.milestones.clone().unwrap_or_default();
        Ok(Arc::new(Milestones { milestones, gamma: self.gamma }))
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
