//! A rise in front of a schedule.
//!
//! # Source
//! `torch.optim.lr_scheduler.LinearLR` before another schedule in a `SequentialLR`; Goyal et al.,
//! <https://arxiv.org/abs/1706.02677>, section 2.2.

use serde::{Deserialize, Serialize};

use crate::optimizer::ArgumentError;
use crate::optimizer::argument::Check;

/// Arguments of a warm-up. Exactly one of `steps` and `epochs` is needed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WarmupConfig {
    /// Optimiser steps that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Epochs that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Where it begins, as a share of the rate that it rises to.
    pub start_factor: f64,
}

impl Default for WarmupConfig {
    fn default() -> Self {
        Self { steps: None, epochs: None, start_factor: 1.0 / 3.0 }
    }
}

impl WarmupConfig {
    pub(super) fn check(&self) -> Result<(), ArgumentError> {
        let check = Check("warmup");
        let has_one = self.steps.is_some() != self.epochs.is_some();
        let given = if self.steps.is_some() { "(both given)" } else { "(both left out)" };
        check.that(has_one, "steps or epochs", given, "one of the two")?;
        let is_allowed = self.start_factor > 0.0 && self.start_factor <= 1.0;
        check.that(is_allowed, "start_factor", self.start_factor, "0 < start_factor <= 1")
    }

    pub(super) fn resolve(&self, steps_per_epoch: u64) -> Warmup {
        let epochs = self.epochs.unwrap_or(0);
        let num_steps = self.steps.unwrap_or_else(|| epochs.saturating_mul(steps_per_epoch));
        Warmup { num_steps, start_factor: self.start_factor }
    }
}

/// A warm-up whose length is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Warmup {
    pub num_steps: u64,
    start_factor: f64,
}

impl Warmup {
    /// Share of the full rate; only for a `step` before the warm-up's end.
    pub(super) fn factor(&self, step: u64) -> f64 {
        let progress = step as f64 / self.num_steps as f64;
        self.start_factor + (1.0 - self.start_factor) * progress
    }
}
