//! `[trainer]`: how long, how often saved, on what, and what to do when a number stops being finite.

use serde::{Deserialize, Serialize};

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
    /// Batches whose gradients are averaged for one optimiser step.
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
    /// Weights and optimiser go back to the last checkpoint; the next batch follows.
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
    /// Checks ranges.
    ///
    /// # Errors
    ///
    /// The key and what is wrong with its value.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        if self.epochs == 0 {
            return Err(("epochs", "expected at least 1, got 0".to_owned()));
        }
        if self.max_steps == Some(0) {
            return Err(("max_steps", "expected at least 1, got 0".to_owned()));
        }
        if self.checkpoint_every == CheckpointEvery::Steps(0) {
            return Err((
                "checkpoint_every",
                "expected \"epoch\" or a number of steps from 1, got 0".to_owned(),
            ));
        }
        if self.keep_last == 0 {
            return Err((
                "keep_last",
                "expected at least 1, got 0: a run without a checkpoint cannot be resumed".to_owned(),
            ));
        }
        if self.keep_best == 0 {
            return Err(("keep_best", "expected at least 1, got 0".to_owned()));
        }
        if self.accumulate_grad_batches == 0 {
            return Err(("accumulate_grad_batches", "expected at least 1, got 0".to_owned()));
        }
        if let Some(ema) = &self.ema {
            ema.validate().map_err(|error| ("ema", error.to_string()))?;
        }
        if let Some(early_stopping) = &self.early_stopping {
            early_stopping.validate().map_err(|message| ("early_stopping", message))?;
        }
        check_metrics(&self.metrics).map_err(|message| ("metrics", message))?;
        positive("checkpoint_every_minutes", self.checkpoint_every_minutes)?;
        positive("clip_grad_norm", self.clip_grad_norm)?;
        positive("clip_grad_value", self.clip_grad_value)
    }
}

/// Checks each metric, and that no two have the same label.
fn check_metrics(metrics: &[MetricConfig]) -> Result<(), String> {
    for (index, metric) in metrics.iter().enumerate() {
        metric.validate().map_err(|error| error.within(format!("[{index}]")).to_string())?;
        let label = metric.label();
        if metrics[..index].iter().any(|other| other.label() == label) {
            return Err(format!("[{index}]: expected each metric once, got `{label}` twice"));
        }
    }
    Ok(())
}

fn positive(key: &'static str, value: Option<f64>) -> Result<(), (&'static str, String)> {
    match value {
        Some(value) if !(value.is_finite() && value > 0.0) => {
            Err((key, format!("expected a finite number above 0, got {value}")))
        }
        _ => Ok(()),
    }
}

/// `trainer.checkpoint_every`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CheckpointEvery {
    /// At the end of each epoch.
    #[default]
    Epoch,
    /// After each so many optimiser steps, and at the end of each epoch.
    Steps(u64),
}

impl Serialize for CheckpointEvery {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Epoch => serializer.serialize_str("epoch"),
            Self::Steps(steps) => serializer.serialize_u64(*steps),
        }
    }
}

impl<'de> Deserialize<'de> for CheckpointEvery {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = CheckpointEvery;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("\"epoch\" or a number of steps")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<CheckpointEvery, E> {
                match text {
                    "epoch" => Ok(CheckpointEvery::Epoch),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_i64<E: serde::de::Error>(self, steps: i64) -> Result<CheckpointEvery, E> {
                u64::try_from(steps)
                    .map(CheckpointEvery::Steps)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(steps), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, steps: u64) -> Result<CheckpointEvery, E> {
                Ok(CheckpointEvery::Steps(steps))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
