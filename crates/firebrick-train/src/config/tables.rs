//! All tables of a config as one type.

use std::path::Path;

use firebrick_component::{ArgumentError, NoEffect};
use firebrick_data::DataConfig;
use firebrick_loss::LossConfig;
use serde::Deserialize;

use super::document::Document;
use super::error::ConfigError;
use super::model_section::ModelSection;
use super::output::OutputConfig;
use super::overrides::Override;
use super::read::{self, Origin};
use super::trainer::TrainerConfig;
use super::write;
use crate::optimizer::OptimizerConfig;
use crate::schedule::{ScheduleConfig, ScheduleError};

/// Everything that decides a run's numbers, and where they are written. A field is a table of the TOML file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// `[trainer]`: how long, how often saved, on what.
    #[serde(default)]
    pub trainer: TrainerConfig,
    /// `[output]`: where the run folder goes.
    #[serde(default)]
    pub output: OutputConfig,
    /// The text, if it was read from one.
    #[serde(skip)]
    origin: Option<Origin>,
}

impl Config {
    /// Reads a config from TOML text; `name` is what messages call it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with line and column for anything that is not a known key of the right type
    /// and range.
    pub fn from_toml(name: &str, text: &str, overrides: &[Override]) -> Result<Self, ConfigError> {
        let (config, origin) = read::checked(Document::new(name, text, overrides), Self::validate)?;
        Ok(Self { origin: Some(origin), ..config })
    }

    /// Reads a config file.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unreadable`] when there is no such text file, otherwise as [`Self::from_toml`].
    pub fn from_file(path: &Path, overrides: &[Override]) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::from_toml(&path.display().to_string(), &text, overrides)
    }

    /// The error for a value of this config that does not fit something else; the error's key is its path in the file,
    /// `optimizer.lr`. It has the value's place if the config was read from a text.
    pub fn refused(&self, error: ArgumentError) -> ConfigError {
        match &self.origin {
            Some(origin) => origin.refused(&error),
            None => ConfigError::Unplaced { message: error.to_string() },
        }
    }

    /// The error for the value of `key`, which is its path in the file, in the words of `message`.
    pub(crate) fn refused_at(&self, key: &str, message: String) -> ConfigError {
        match &self.origin {
            Some(origin) => origin.refused_at(key, message),
            None => ConfigError::Unplaced { message },
        }
    }

    /// Keys that were given and change nothing, by their path in the file. No mistakes, but whoever wrote them should be
    /// told.
    pub fn without_effect(&self) -> Vec<NoEffect> {
        let tables = [
            ("model", self.model.without_effect()),
            ("data", self.data.without_effect()),
            ("loss", self.loss.without_effect()),
            ("optimizer", self.optimizer.without_effect()),
            ("schedule", self.schedule.without_effect()),
            ("trainer", self.trainer.without_effect()),
        ];
        tables
            .into_iter()
            .flat_map(|(table, found)| found.into_iter().map(move |one| one.within(table)))
            .collect()
    }

    /// How the value of `key` was written, and whether a `--set` gave it; none if it was left out.
    pub(crate) fn written(&self, key: &str) -> Option<(&str, bool)> {
        self.origin.as_ref()?.written(key)
    }

    /// Checks everything that can be known without data, device and files.
    ///
    /// # Errors
    ///
    /// The first wrong value; its key is its path in the file: `optimizer.lr`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let within = |table: &'static str| move |error: ArgumentError| error.within(table);
        self.model.validate().map_err(within("model"))?;
        self.data.validate().map_err(within("data"))?;
        self.loss.validate().map_err(within("loss"))?;
        self.optimizer.validate().map_err(within("optimizer"))?;
        self.schedule.validate().map_err(within("schedule"))?;
        self.schedule.validate_with(&self.optimizer).map_err(|error| match error {
            ScheduleError::NoMomentum { optimizer, .. } => ArgumentError::new(
                "schedule.cycle_momentum",
                format!("false, or an optimizer with momentum or betas, which {optimizer} has not"),
                true,
            ),
            other => unreachable!("bug: the momentum check has found something else: {other}"),
        })?;
        self.trainer.validate().map_err(within("trainer"))?;
        self.output.validate().map_err(within("output"))
    }

    /// The config as TOML with every default spelled out; reading it back gives an equal config.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unwritable`] for a value TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        // Every field by name: a new one cannot be forgotten.
        let Self { model, data, loss, optimizer, schedule, trainer, output, origin: _ } = self;
        let mut data = data.clone();
        if model.weights.is_none() {
            // Otherwise the weights may say how images are prepared.
            data.normalize.get_or_insert_default();
        }
        Ok(write::to_toml([
            ("model", write::table(model)?),
            ("data", write::table(&data)?),
            ("loss", write::table(loss)?),
            ("optimizer", write::table(optimizer)?),
            ("schedule", write::table(schedule)?),
            ("trainer", write::table(trainer)?),
            ("output", write::table(output)?),
        ]))
    }
}
