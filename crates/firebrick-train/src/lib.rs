//! Turns a config into a trained network: config, one step, the loop, optimisers, schedules,
//! metrics, checkpoints and events.
//!
//! The modules below stand in the order in which the data passes through them. Nothing here
//! prints, installs a logger or exits; what happens is told through [`event::Event`]s.

pub mod error;

pub mod config;
pub mod plan;

pub mod backend;
mod closest;
pub mod step;

pub mod accumulate;
pub mod clip;
pub mod divergence;
pub mod early_stopping;
pub mod ema;
pub mod optimizer;
pub mod schedule;

pub mod evaluate;
pub mod event;
pub mod norms;

pub mod checkpoint;
mod config_difference;
mod resume;
pub mod run_folder;
pub mod run_progress;
mod saver;
pub mod trained;
pub mod weights_hash;

pub mod fit;
pub mod replay;
pub mod trace;

pub use config::Config;
pub use error::{ErrorKind, TrainError};
pub use event::{Control, Event, Observer};
pub use fit::{Outcome, Status, fit};
pub use plan::Plan;
