//! What a run is told: the TOML file's tables as types, with torch's names and defaults.
//!
//! Reading is split in two, so that every mistake is found with its place in the file:
//! [`source`] turns text and `--set` overrides into one document, [`read`] turns the document into
//! a [`Config`]. Neither touches anything but the text; [`crate::Plan`] does.

mod error;
mod read;
mod source;
mod trainer;
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
pub use trainer::{CheckpointEvery, OnDivergence, TrainerConfig};

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
