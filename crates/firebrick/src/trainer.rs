//! A run in one expression: config, where to write, who listens, go.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use firebrick_data::Progress;
use firebrick_models::{ImageClassifier, Network};
use firebrick_train::config::Override;
use firebrick_train::run_folder::{Resume, RunLocation};
use firebrick_train::{
    Config, Control, Event, Observer, Observers, Outcome, Plan, TrainError, fit, fit_network, plan_for,
};

/// Builds and starts a run. See the [crate's example](crate).
pub struct Trainer<'a> {
    config: Config,
    name: String,
    location: RunLocation,
    observers: Observers<'a>,
    progress: Box<dyn Progress + 'a>,
}

impl<'a> Trainer<'a> {
    /// A run of this config; its folder is named `run-001`, `run-002`, ... unless told otherwise.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            name: "run".to_owned(),
            location: RunLocation::default(),
            observers: Observers::new(),
            progress: Box::new(()),
        }
    }

    /// A run of a config file; its folder is named after the file.
    ///
    /// # Errors
    ///
    /// [`TrainError::Config`] with line and column.
    pub fn from_file(path: impl AsRef<Path>, overrides: &[Override]) -> Result<Self, TrainError> {
        let path = path.as_ref();
        let trainer = Self::new(Config::from_file(path, overrides)?);
        Ok(match path.file_stem().and_then(|stem| stem.to_str()) {
            Some(stem) => trainer.name(stem),
            None => trainer,
        })
    }

    /// What new run folders are called after.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The run's own folder.
    pub fn run_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.location.run_dir = Some(path.into());
        self
    }

    /// Whether to go on from an earlier process.
    pub fn resume(mut self, resume: Resume) -> Self {
        self.location.resume = resume;
        self
    }

    /// Adds a closure that hears each event, and may stop the run.
    pub fn on_event(self, listener: impl FnMut(&Event) -> Control + 'a) -> Self {
        self.observer(listener)
    }

    /// Adds somebody who hears each event, and may stop the run, behind those that were added before.
    pub fn observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observers.add(observer);
        self
    }

    /// Who hears about reading, decoding and downloading data.
    pub fn on_progress(mut self, progress: impl Progress + 'a) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Trains the network that the config names.
    ///
    /// # Errors
    ///
    /// [`TrainError`]; [`TrainError::kind`] says what kind of trouble it is.
    pub fn run(mut self) -> Result<Outcome<Network>, TrainError> {
        let plan = plan_for(self.config, &self.name, &self.location, &*self.progress)?;
        fit_network(&plan, &self.location, &mut self.observers)
    }

    /// Trains a network of your own in place of the one the config names; its input shape and class
    /// count must be those of the config's.
    ///
    /// # Errors
    ///
    /// As [`Self::run`], and [`TrainError::Plan`] when the shapes differ.
    pub fn run_model<M: ImageClassifier>(
        mut self,
        model: impl FnOnce(&Device) -> M,
    ) -> Result<Outcome<M>, TrainError> {
        let plan = Plan::new(self.config, &self.name, &*self.progress)?;
        let model = model(&plan.backend.device);
        fit(&plan, model, &self.location, &mut self.observers)
    }
}
