//! Everything that can end a run early, and which of the contract's exit codes it is.

use std::path::PathBuf;

use firebrick_component::text;
use firebrick_data::DataError;
use firebrick_loss::LossError;
use firebrick_models::weights::WeightsError;
use firebrick_storage::StorageError;
use thiserror::Error;

use crate::backend::BackendError;
use crate::config::ConfigError;
use crate::ema::EmaError;
use crate::optimizer::OptimizerError;
use crate::read_back::DeviceError;
use crate::schedule::ScheduleError;

/// What kind of trouble an error is; the command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The training itself failed: it diverged, or the device gave up.
    Diverged,
    /// The user asked for something that cannot be done: config, backend, arguments.
    Usage,
    /// The data is missing or damaged.
    Data,
    /// A file of the run cannot be written, or a checkpoint cannot be used.
    Storage,
}

/// A run that could not be finished.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The config is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The backend is not there.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The parts of the config do not fit together.
    #[error("{0}")]
    Plan(String),
    /// Reading the data failed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The loss refused its arguments.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser refused its arguments or its saved state.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// The schedule refused its arguments.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// Weights to start from, or of a checkpoint, do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file could not be written or read safely.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A checkpoint or run folder is not what it should be.
    #[error("{}: {message}", text::path(path))]
    Checkpoint {
        /// The folder or file.
        path: PathBuf,
        /// Expected, got, and how to mend it.
        message: String,
    },
    /// The average of the weights refused its saved state.
    #[error(transparent)]
    Ema(#[from] EmaError),
    /// The device did not give a result back.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A number stopped being finite; the update was not applied.
    #[error(
        "training diverged at step {step}: {what} is {value} (learning rate {}); the update was not applied; \
         try a smaller optimizer.lr, trainer.clip_grad_norm or trainer.on_divergence; {} has the batch's samples \
         and every parameter's norms", text::number(*lr), text::path(report)
    )]
    Diverged {
        /// The optimiser step that would have been taken, from 1; 0 before the first.
        step: u64,
        /// Which number: the loss, the gradient norm, a weight.
        what: String,
        /// Its value: NaN or an infinity.
        value: f64,
        /// Learning rate of the step.
        lr: f64,
        /// The run's `diverged.json`.
        report: PathBuf,
    },
}

impl TrainError {
    /// Which exit code this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Diverged { .. } | Self::Device(_) => ErrorKind::Diverged,
            Self::Data(error) if error.is_config() => ErrorKind::Usage,
            Self::Data(_) => ErrorKind::Data,
            Self::Storage(_) | Self::Checkpoint { .. } | Self::Ema(_) => ErrorKind::Storage,
            Self::Config(_)
            | Self::Backend(_)
            | Self::Plan(_)
            | Self::Loss(_)
            | Self::Optimizer(_)
            | Self::Schedule(_)
            | Self::Weights(_) => ErrorKind::Usage,
        }
    }
}
