//! A rise in front of a schedule.
//!
//! # Source
//! `torch.optim.lr_scheduler.LinearLR` before another schedule in a `SequentialLR`; Goyal et al.,
//! <https://arxiv.org/abs/1706.02677>, section 2.2.

use firebrick_component::{ArgumentError, check};
use serde::{Deserialize, Serialize};

/// Arguments of a warm-up. Exactly one of `steps` and `epochs` is needed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table such as warmup = { steps = 500 }")]
pub struct WarmupConfig {
    /// Optimiser steps that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Epochs that it takes. The rate rises with every step, also before a schedule that changes `per = "epoch"`.
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
    pub(super) fn validate(&self) -> Result<(), ArgumentError> {
        let has_one = self.steps.is_some() != self.epochs.is_some();
        let given = if self.steps.is_some() { "both" } else { "neither" };
        check::that(has_one, "", given, "either `steps` or `epochs`")?;
        let is_allowed = self.start_factor > 0.0 && self.start_factor <= 1.0;
        check::that(is_allowed, "start_factor", self.start_factor, "0 < start_factor <= 1")
    }

    /// How many steps that is; a validated warm-up has one of the two.
    pub(super) fn resolve(&self, steps_per_epoch: u64) -> Warmup {
        let num_steps = match (self.steps, self.epochs) {
            (Some(steps), None) => steps,
            (None, Some(epochs)) => epochs.saturating_mul(steps_per_epoch),
            _ => unreachable!("bug: a warm-up by steps and epochs, or by neither, was not refused"),
        };
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
