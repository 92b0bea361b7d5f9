//! What a config means on this machine: backend opened, data found and checked, lengths known.
//!
//! [`crate::config`] knows only the text; from here on every part is known to fit the others, so
//! that nothing inside a step can fail on a shape or a label.

use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use firebrick_data::random::{self, Purpose};
use firebrick_data::{
    DataLoader, Datasets, HostBatch, InputShape, LoaderOptions, PreparedDataset, Progress, window_moments,
};
use firebrick_models::weights::LoadReport;
use firebrick_models::{ImageClassifier, Network, weights};

use crate::backend::{Backend, BackendChoice};
use crate::class_weights;
use crate::config::{Config, StartWeights};
use crate::criterion::{self, Criterion};
use crate::error::TrainError;
use crate::event::Split;
use crate::frozen_layers::{FrozenLayers, Images};
use crate::left_out;
use crate::metric;
use crate::outputs;
use crate::placed::placed;
use crate::published;
use crate::schedule::Schedule;
use crate::step::{Clipping, StepRules};
use crate::step_batches::StepBatches;
use crate::told::{self, Lengths};

/// A run that can start.
pub struct Plan {
    /// What was asked for.
    pub config: Config,
    /// Name of the config, which names the run folder.
    pub name: String,
    /// Where tensors live.
    pub backend: Backend,
    /// The splits, ready to be batched.
    pub datasets: Datasets,
    /// What is minimised.
    pub loss: Criterion,
    /// Batches in one epoch.
    pub batches_per_epoch: u64,
    /// Optimiser steps in one epoch: one for each `trainer.accumulate_grad_batches` batches, and one for
    /// those that are left.
    pub steps_per_epoch: u64,
    /// Optimiser steps in the whole run: those of all epochs, or `trainer.max_steps` if that is fewer.
    pub total_steps: u64,
    /// Optimiser steps of all epochs. A schedule whose own length is left out has this one: it must not depend on
    /// where `trainer.max_steps` cuts the run.
    pub schedule_steps: u64,
    /// The loss of a network that has learnt nothing and gives each class the same score; none where that says nothing.
    pub untrained_loss: Option<f64>,
    /// What is accepted and will hardly be what somebody wanted: keys that change nothing, a huge learning rate.
    pub notices: Vec<String>,
    /// The file that `model.weights` means, once it is known to be there or was given by its path.
    weights_file: Option<PathBuf>,
}

/// Whether the run that is planned begins, and with what.
pub(crate) enum Start {
    /// It may begin: what it needs is not fetched yet.
    Unknown,
    /// It begins now.
    Fresh,
    /// It goes on from a checkpoint; what the config leaves out is as in the run's record.
    GoesOn(Box<Config>),
    /// As `GoesOn`, but no checkpoint was written, so that it begins once more.
    BeginsAgain(Box<Config>),
}

impl Start {
    fn recorded(&self) -> Option<&Config> {
        match self {
            Self::GoesOn(recorded) | Self::BeginsAgain(recorded) => Some(recorded),
            Self::Unknown | Self::Fresh => None,
        }
    }
}

/// What the config names, opened and checked against each other.
struct Parts {
    weights_file: Option<PathBuf>,
    backend: Backend,
    datasets: Datasets,
    loss: Criterion,
    untrained_loss: Option<f64>,
}

impl Parts {
    /// Fills in what the config leaves out.
    fn of(config: &mut Config, start: &Start, progress: &dyn Progress) -> Result<Self, TrainError> {
        config.schedule.validate_with(&config.optimizer)?;
        let backend = config.trainer.backend.parse::<BackendChoice>()?.open()?;
        let prepared = left_out::fill_in(config, start.recorded())?;
        // What needs no data comes first, so that it is found where there is none.
        let early = match config.model.counts_classes {
            true => None,
            false => Some(checked_loss(config, &backend)?),
        };
        let weights_file = match (start, &config.model.weights) {
            (Start::Fresh | Start::BeginsAgain(_), Some(weights)) => {
                Some(file_of(config, weights, progress)?)
            }
            _ => None,
        };
        let [channels, height, width] = config.model.network.input_shape();
        let input = InputShape { channels, height, width };
        let mut datasets = firebrick_data::open(&config.data, input, config.trainer.seed, progress)?;
        datasets.info.steps.extend(prepared);
        config.model.count_classes(datasets.info.class_names.len());
        check_classes(config, &datasets)?;
        let (loss, untrained_loss) = match early {
            Some(checked) => checked,
            None => checked_loss(config, &backend)?,
        };
        Ok(Self { weights_file, backend, datasets, loss, untrained_loss })
    }
}

/// The loss, which goes with the network's classes, as the metrics do; and what it is before anything is learnt.
fn checked_loss(config: &Config, backend: &Backend) -> Result<(Criterion, Option<f64>), TrainError> {
    config.model.network.validate().map_err(|error| config.refused(error.within("model")))?;
    metric::check_classes(&config.trainer.metrics, config.model.network.num_classes())
        .map_err(|error| config.refused(error.within("trainer")))?;
    let loss = criterion::checked(config, &backend.device)?;
    let untrained_loss = criterion::untrained(config, &loss, &backend.device)?;
    Ok((loss, untrained_loss))
}

/// The file of weights, fetched if it is a published one.
fn file_of(config: &Config, weights: &StartWeights, progress: &dyn Progress) -> Result<PathBuf, TrainError> {
    let published = weights.published(&config.model.network);
    match (published.map_err(|error| config.refused(error.within("model")))?, weights) {
        (Some(published), _) => Ok(published::fetch(published, progress)?),
        (None, StartWeights::File(path)) => Ok(path.clone()),
        (None, StartWeights::Published(name)) => {
            unreachable!("bug: no published weights are called `{name}`")
        }
    }
}

impl Plan {
    /// Opens the backend and the data and checks that model, data and loss fit together.
    ///
    /// What the config leaves out is filled in: the plan's own has the number of classes, and how images are prepared.
    ///
    /// `name` is what the run folder is called after; `progress` hears about decoding and
    /// downloading. Published weights are not fetched yet; [`crate::plan_for`] does.
    ///
    /// # Errors
    ///
    /// Whatever does not fit, see [`TrainError`]; nothing has been written but a download.
    pub fn new(config: Config, name: &str, progress: &dyn Progress) -> Result<Self, TrainError> {
        Self::starting(config, name, &Start::Unknown, progress)
    }

    /// As [`Self::new`], where more is known of how the run starts.
    pub(crate) fn starting(
        mut config: Config,
        name: &str,
        start: &Start,
        progress: &dyn Progress,
    ) -> Result<Self, TrainError> {
        // The config names the places of what does not fit; it goes into the plan with it.
        let parts = Parts::of(&mut config, start, progress).map_err(|error| placed(&config, error))?;
        let Parts { weights_file, backend, mut datasets, mut loss, untrained_loss } = parts;
        let class_weights =
            class_weights::resolve(&mut config, &datasets).map_err(|error| placed(&config, error))?;
        if let Some(told) = class_weights {
            loss = criterion::checked(&config, &backend.device).map_err(|error| placed(&config, error))?;
            datasets.info.steps.push(told);
        }
        let batches_per_epoch = batches_per_epoch(&config, datasets.info.train_count)?;
        let steps_per_epoch = batches_per_epoch.div_ceil(config.trainer.accumulate_grad_batches as u64);
        let schedule_steps = steps_per_epoch.saturating_mul(config.trainer.epochs);
        let total_steps = config.trainer.max_steps.map_or(schedule_steps, |limit| limit.min(schedule_steps));
        let mut plan = Self {
            config,
            name: name.to_owned(),
            backend,
            datasets,
            loss,
            batches_per_epoch,
            steps_per_epoch,
            total_steps,
            schedule_steps,
            untrained_loss,
            notices: Vec::new(),
            weights_file,
        };
        let schedule = plan.schedule()?;
        plan.notices = told::of_config(&plan.config);
        plan.notices.extend(plan.datasets.info.notices.iter().cloned());
        let num_train = plan.datasets.info.train_count;
        let lengths = Lengths { num_train, batches_per_epoch, schedule_steps };
        plan.notices.extend(told::of_run(&plan.config, &lengths, &schedule));
        Ok(plan)
    }

    /// The learning rate over the run.
    ///
    /// # Errors
    ///
    /// [`TrainError::Config`] for an argument that does not suit the run's length.
    pub fn schedule(&self) -> Result<Schedule, TrainError> {
        let config = &self.config;
        let lr = config.optimizer.lr();
        Schedule::new(&config.schedule, lr, self.schedule_steps, self.steps_per_epoch)
            .map_err(|error| self.placed(error))
    }

    /// The error with the place of the value that it is about, if it is about one of the config's.
    pub(crate) fn placed(&self, error: impl Into<TrainError>) -> TrainError {
        placed(&self.config, error.into())
    }

    /// Seeds the device's generator, which dropout draws from, for the step after `finished_steps`, so
    /// that its masks depend on nothing but the run's seed and the step.
    pub fn seed_device(&self, finished_steps: u64) {
        let seed = self.config.trainer.seed;
        self.backend.device.seed(random::seed_for(seed, Purpose::Dropout, finished_steps, 0));
    }

    /// What each step of `epoch` takes, from batch `first_batch` of it on; both are counted from 0.
    pub fn training_batches(&self, epoch: u64, first_batch: u64) -> StepBatches {
        let batches = self.training_loader().epoch(epoch, first_batch as usize);
        StepBatches::new(batches, self.config.trainer.accumulate_grad_batches)
    }

    fn training_loader(&self) -> DataLoader {
        let (data, trainer) = (&self.config.data, &self.config.trainer);
        let options = LoaderOptions {
            batch_size: data.batch_size,
            shuffle: data.shuffle,
            seed: trainer.seed,
            workers: data.workers,
            drop_last: data.drop_last,
        };
        DataLoader::new(self.datasets.train.clone(), options)
    }

    /// As [`Self::training_batches`] where what frozen layers give for all of these images is known: nobody reads them.
    pub(crate) fn known_batches(
        &self,
        frozen: &FrozenLayers,
        epoch: u64,
        first_batch: u64,
    ) -> Option<StepBatches> {
        let (data, trainer, train) = (&self.config.data, &self.config.trainer, &self.datasets.train);
        let order = self.training_loader().order(epoch);
        let chunks =
            order.chunks(data.batch_size).take(self.batches_per_epoch as usize).skip(first_batch as usize);
        let InputShape { channels, height, width } = train.preprocess().input;
        let shape = [channels, height, width];
        let batches: Option<Vec<HostBatch>> =
            chunks.map(|indices| frozen.batch(Images::Training, indices, shape)).collect();
        Some(StepBatches::new(batches?.into_iter().map(Ok), trainer.accumulate_grad_batches))
    }

    /// What is the same in every step.
    pub fn step_rules(&self) -> StepRules<'_> {
        let trainer = &self.config.trainer;
        StepRules {
            backend: &self.backend,
            loss: &self.loss,
            clipping: Clipping { max_norm: trainer.clip_grad_norm, max_value: trainer.clip_grad_value },
        }
    }

    /// The split whose evaluations decide: which checkpoint is the best, when to stop, when to lower the
    /// learning rate. The validation split where there is one.
    pub fn deciding_split(&self) -> Split {
        if self.datasets.validation.is_some() { Split::Validation } else { Split::Test }
    }

    /// A split, prepared for evaluation.
    ///
    /// # Errors
    ///
    /// [`TrainError::Plan`] when the data has no such split.
    pub fn split(&self, split: Split) -> Result<&Arc<PreparedDataset>, TrainError> {
        match split {
            Split::Test => Ok(&self.datasets.test),
            Split::Validation => self.datasets.validation.as_ref().ok_or_else(|| {
                TrainError::Plan(format!("dataset `{}` has no validation split", self.datasets.info.name))
            }),
        }
    }

    /// The network that the config names, with torch's initialisation for the run's seed, or with
    /// the weights that `model.weights` points to, which are fetched if that has not been done.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] when the file does not fit; [`TrainError::Data`] when published weights cannot be fetched.
    pub fn initial_model(&self, device: &Device) -> Result<Network, TrainError> {
        self.initial_model_and_report(device).map(|(model, _)| model)
    }

    /// The network that the config names, to be given the weights of a checkpoint: `model.weights` is not looked at.
    pub(crate) fn model_to_restore(&self) -> Network {
        self.config.model.network.init(self.config.trainer.seed, &self.backend.device)
    }

    /// As [`Self::initial_model`], with what was done with the file of weights, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Self::initial_model`].
    pub fn initial_model_and_report(
        &self,
        device: &Device,
    ) -> Result<(Network, Option<LoadReport>), TrainError> {
        let section = &self.config.model;
        let model = section.network.init(self.config.trainer.seed, device);
        let Some(weights) = &section.weights else {
            return Ok((self.whitened(model)?, None));
        };
        let path = match &self.weights_file {
            Some(path) => path.clone(),
            None => file_of(&self.config, weights, &())?,
        };
        let options = weights::LoadOptions { strict: section.strict, key: section.weights_key.as_deref() };
        let (model, report) = weights::load(model, &path, options)?;
        Ok((model, Some(report)))
    }

    /// The network with the filters that are made from the training images, if it has some.
    fn whitened(&self, model: Network) -> Result<Network, TrainError> {
        let Some(whitening) = self.config.model.network.whitening() else {
            return Ok(model);
        };
        let moments = window_moments(&self.datasets.train, whitening.num_images, whitening.window)?;
        Ok(whitening.apply(model, &moments))
    }

    /// Checks that a network takes the plan's images, tells its classes apart and gives what the loss takes. What of that
    /// cannot be known comes back as a sentence to tell.
    ///
    /// # Errors
    ///
    /// [`TrainError::Plan`] with both shapes; [`TrainError::Config`] for a loss that takes other numbers.
    pub fn check_model<M: ImageClassifier>(&self, model: &M) -> Result<Option<String>, TrainError> {
        let network = &self.config.model.network;
        let (expected, got) = (network.input_shape(), model.input_shape());
        if expected != got {
            return Err(TrainError::Plan(format!(
                "the model takes images of {got:?}, the plan prepares {expected:?} (channels, height, width)"
            )));
        }
        let (expected, got) = (network.num_classes(), model.num_classes());
        if expected != got {
            return Err(TrainError::Plan(format!(
                "the model tells {got} classes apart, the plan has {expected}"
            )));
        }
        let checked = outputs::check(&self.config.loss, outputs::of(model));
        checked.map_err(|message| self.config.refused_at(outputs::KEY, message).into())
    }
}

fn check_classes(config: &Config, datasets: &Datasets) -> Result<(), TrainError> {
    let got = datasets.info.class_names.len();
    let expected = config.model.network.num_classes();
    if got == expected {
        return Ok(());
    }
    let network = &config.model.network;
    let written = config.written("model.num_classes").map(|_| "num_classes".to_owned());
    let key = format!("model.{}", written.unwrap_or_else(|| network.num_classes_key()));
    let message = format!(
        "model.num_classes is {expected}, but dataset `{}` has {got} classes ({}); set model.num_classes = {got}",
        datasets.info.name,
        abbreviated(&datasets.info.class_names),
    );
    Err(config.refused_at(&key, message).into())
}

fn abbreviated(names: &[String]) -> String {
    let shown = names.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 4 { format!("{shown}, ...") } else { shown }
}

fn batches_per_epoch(config: &Config, train_count: usize) -> Result<u64, TrainError> {
    let batch_size = config.data.batch_size;
    let batches =
        if config.data.drop_last { train_count / batch_size } else { train_count.div_ceil(batch_size) };
    if batches == 0 {
        let message = format!(
            "the training split holds {train_count} samples, fewer than one batch of data.batch_size = {batch_size} \
             with data.drop_last; lower data.batch_size"
        );
        return Err(config.refused_at("data.batch_size", message).into());
    }
    Ok(batches as u64)
}
