//! What a run is told: the TOML file's tables as types, with torch's names and defaults.
//!
//! Reading is split in two, so that every mistake is found with its place in the file:
//! [`source`] turns text and `--set` overrides into one document, [`read`] turns the document into
//! a [`Config`]. Neither touches anything but the text; [`crate::Plan`] does.

mod error;
mod read;
mod source;
mod write;

use std::path::PathBuf;

use firebrick_data::DataConfig;
use firebrick_loss::LossConfig;
use firebrick_models::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::optimizer::OptimizerConfig;
use crate::schedule::ScheduleConfig;

pub use error::ConfigError;
pub use source::Override;
pub(crate) use source::closest;

/// Everything that decides a run's numbers, and where they are written.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[model]`: the network, and the weights to start from.
    pub model: ModelSection,
    /// `[data]`: the dataset and how batches are made of it.
    pub data: DataConfig,
    /// `[loss]`: what is minimised.
    pub loss: LossConfig,
    /// `[optimizer]`: the update rule.
    pub optimizer: OptimizerConfig,
    /// `[schedule]`: the learning rate over time; `none`, the optimiser's own rate throughout, when the
    /// table is absent.
    pub schedule: ScheduleConfig,
    /// `[trainer]`: how long, how often saved, on what.
    pub trainer: TrainerConfig,
    /// `[output]`: where the run folder goes.
    pub output: OutputConfig,
}

impl Config {
    /// Reads a config from TOML text; `name` is what messages call it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with line and column for anything that is not a known key of the right type
    /// and range.
    pub fn from_toml(name: &str, text: &str, overrides: &[Override]) -> Result<Self, ConfigError> {
        let document = source::Document::new(name, text, overrides);
        read::config(&document)
    }

    /// Reads a config file.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unreadable`] when there is no such text file, otherwise as [`Self::from_toml`].
    pub fn from_file(path: &std::path::Path, overrides: &[Override]) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::from_toml(&path.display().to_string(), &text, overrides)
    }

    /// The config as TOML with every default spelled out; reading it back gives an equal config.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unwritable`] for a value TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        write::to_toml(self)
    }
}

/// `[model]`.
#[derive(Debug, Clone)]
pub struct ModelSection {
    /// Which network, with its arguments.
    pub network: ModelConfig,
    /// Weights to start from (`.safetensors`, `.pt` or `.bpk`); torch's initialisation when absent.
    pub weights: Option<PathBuf>,
    /// With `false`, tensors of `weights` that are missing, extra or of another shape are reported
    /// instead of refused.
    pub strict: bool,
}

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
    /// How many checkpoints stay, beside the best one.
    pub keep_last: usize,
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
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            max_steps: None,
            checkpoint_every: CheckpointEvery::default(),
            keep_last: 3,
            seed: 0,
            backend: "auto".to_owned(),
            clip_grad_norm: None,
            clip_grad_value: None,
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
        positive("clip_grad_norm", self.clip_grad_norm)?;
        positive("clip_grad_value", self.clip_grad_value)
    }
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

/// `[output]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Folder in which run folders are made.
    pub root: PathBuf,
    /// Name of the run folder; the config's own name and a number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Default for OutputConfig {
    fn default() -> Self {
        Self { root: PathBuf::from("runs"), name: None }
    }
}
