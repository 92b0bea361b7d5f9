//! A share of the rate for a while, then all of it.
//!
//! # Source
//! `torch.optim.lr_scheduler.ConstantLR`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Curve, CurveConfig, Per, WarmupConfig};
use crate::optimizer::ArgumentError;
use crate::optimizer::argument::Check;

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

impl CurveConfig for ConstantConfig {
    fn check(&self) -> Result<(), ArgumentError> {
        let check = Check("constant");
        check.unit_interval("factor", self.factor)
    }

    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Arc<dyn Curve>, ArgumentError> {
        Ok(Arc::new(Pause { factor: self.factor, length: self.total_iters }))
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
