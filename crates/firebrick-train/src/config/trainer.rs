//! `[trainer]`: how long, how often saved, on what, and what to do when a number stops being finite.

use firebrick_component::{ArgumentError, NoEffect, check};
use serde::{Deserialize, Serialize};

use super::checkpoint_every::CheckpointEvery;
use crate::backend::{self, BackendChoice, BackendError};
use crate::ema::EmaConfig;
use crate::metric::MetricConfig;
use crate::monitor::early_stopping::EarlyStoppingConfig;

/// `[trainer]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainerConfig {
    /// Passes over the training split.
    pub epochs: u64,
    /// Ends the run after this many optimiser steps, even inside an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// When a checkpoint is written: `"epoch"` or a number of steps. The last step always gets one.
    pub checkpoint_every: CheckpointEvery,
    /// Writes a checkpoint also when the last one is this old, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every_minutes: Option<f64>,
    /// How many of the newest checkpoints stay.
    pub keep_last: usize,
    /// How many of those with the best evaluations stay beside them.
    pub keep_best: usize,
    /// Batches of one optimiser step, which is that of one batch that holds them all.
    pub accumulate_grad_batches: usize,
    /// Seed of every random choice of the run.
    pub seed: u64,
    /// `ndarray`, `flex`, `wgpu`, ... with an optional `:index`, or `auto`.
    pub backend: String,
    /// Largest global L2 norm of the gradients, as `torch.nn.utils.clip_grad_norm_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_grad_norm: Option<f64>,
    /// Largest absolute gradient element, as `torch.nn.utils.clip_grad_value_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_grad_value: Option<f64>,
    /// Keeps a running average of the weights and evaluates it beside them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<EmaConfig>,
    /// Ends the run when the evaluation has stopped improving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// What each evaluation is summed up in, besides its loss.
    #[serde(skip_serializing_if = "MetricConfig::is_default_list")]
    pub metrics: Vec<MetricConfig>,
    /// What follows a loss, gradient or weight that is not finite.
    pub on_divergence: OnDivergence,
    /// How often `on_divergence` may go on before the run ends all the same.
    pub max_recoveries: u64,
}

/// `trainer.on_divergence`: what follows a loss, gradient or weight that is not finite. The update
/// is not applied in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDivergence {
    /// The run ends.
    #[default]
    Stop,
    /// The step goes without an update; the next batch follows.
    SkipBatch,
    /// Weights and optimiser go back to the last checkpoint that `checkpoint_every` asked for (those of a stop or of
    /// `checkpoint_every_minutes` do not count); the next batch follows.
    RestoreLast,
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            max_steps: None,
            checkpoint_every: CheckpointEvery::default(),
            checkpoint_every_minutes: None,
            keep_last: 3,
            keep_best: 1,
            accumulate_grad_batches: 1,
            seed: 0,
            backend: "auto".to_owned(),
            clip_grad_norm: None,
            clip_grad_value: None,
            ema: None,
            early_stopping: None,
            metrics: MetricConfig::default_list(),
            on_divergence: OnDivergence::default(),
            max_recoveries: 10,
        }
    }
}

impl TrainerConfig {
    /// Checks every value by itself. Whether the backend is compiled in and finds a device shows when it is opened.
    ///
    /// # Errors
    ///
    /// The first wrong one; its key is its path in the table `[trainer]`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        check::that(self.epochs >= 1, "epochs", self.epochs, "at least 1")?;
        check::that(self.max_steps != Some(0), "max_steps", 0, "at least 1")?;
        let is_allowed = self.checkpoint_every != CheckpointEvery::Steps(0);
        check::that(is_allowed, "checkpoint_every", 0, "\"epoch\" or a number of steps from 1")?;
        optional("checkpoint_every_minutes", self.checkpoint_every_minutes)?;
        let expected = "at least 1, for a run without a checkpoint cannot be resumed";
        check::that(self.keep_last >= 1, "keep_last", self.keep_last, expected)?;
        check::that(self.keep_best >= 1, "keep_best", self.keep_best, "at least 1")?;
        let batches = self.accumulate_grad_batches;
        check::that(batches >= 1, "accumulate_grad_batches", batches, "at least 1")?;
        self.validate_backend()?;
        optional("clip_grad_norm", self.clip_grad_norm)?;
        optional("clip_grad_value", self.clip_grad_value)?;
        if let Some(ema) = &self.ema {
            ema.validate().map_err(|error| error.within("ema"))?;
        }
        if let Some(early_stopping) = &self.early_stopping {
            early_stopping.validate().map_err(|error| error.within("early_stopping"))?;
        }
        self.validate_metrics()
    }

    /// Keys that were given and change nothing.
    pub fn without_effect(&self) -> Vec<NoEffect> {
        let mut found = Vec::new();
        let is_default = self.max_recoveries == Self::default().max_recoveries;
        if self.on_divergence == OnDivergence::Stop && !is_default {
            found.push(NoEffect::new("max_recoveries", "on_divergence = \"stop\" never goes on"));
        }
        if let Some(EarlyStoppingConfig { patience, .. }) = self.early_stopping
            && patience >= self.epochs
        {
            let reason =
                format!("it waits for {patience} evaluations, and the run has {} epochs", self.epochs);
            found.push(NoEffect::new("early_stopping", reason));
        }
        found
    }

    /// Checks each metric, and that no two have the same label.
    fn validate_metrics(&self) -> Result<(), ArgumentError> {
        for (index, metric) in self.metrics.iter().enumerate() {
            let key = format!("metrics[{index}]");
            metric.validate().map_err(|error| error.within(&key))?;
            let label = metric.label();
            let is_new = self.metrics[..index].iter().all(|other| other.label() != label);
            check::that(is_new, &key, format!("`{label}` twice"), "each metric once")?;
        }
        Ok(())
    }

    fn validate_backend(&self) -> Result<(), ArgumentError> {
        let got = format!("`{}`", self.backend);
        match self.backend.parse::<BackendChoice>() {
            Ok(_) => Ok(()),
            Err(BackendError::Index { name, .. }) => {
                let expected = format!("a device number after the colon, as in `{name}:0`");
                Err(ArgumentError::new("backend", expected, got))
            }
            Err(_) => Err(ArgumentError::new("backend", backend::known(), got)),
        }
    }
}

fn optional(key: &str, value: Option<f64>) -> Result<(), ArgumentError> {
    value.map_or(Ok(()), |value| check::positive(key, value))
}
