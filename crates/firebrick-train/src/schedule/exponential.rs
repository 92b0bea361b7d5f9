//! The rate times `gamma` every epoch.
//!
//! # Source
//! `torch.optim.lr_scheduler.ExponentialLR`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Curve, CurveConfig, Per, WarmupConfig};
use crate::optimizer::ArgumentError;
use crate::optimizer::argument::Check;

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

impl CurveConfig for ExponentialConfig {
    fn check(&self) -> Result<(), ArgumentError> {
        let check = Check("exponential");
        let gamma = check.required("gamma", self.gamma, "a finite number")?;
        check.finite("gamma", gamma)
    }

    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Arc<dyn Curve>, ArgumentError> {
        Ok(Arc::new(Decay { gamma: self.gamma.unwrap_or(1.0) }))
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
