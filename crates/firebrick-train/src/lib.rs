//! Turns a config into a trained network: config, one step, the loop, optimisers, schedules,
//! metrics, checkpoints and events.
//!
//! The modules below stand in the order in which the data passes through them. Nothing here
//! prints, installs a logger or exits; what happens is told through [`event::Event`]s.

pub mod error;

pub mod check;
pub mod class_names;
mod class_weights;
pub mod config;
mod left_out;
mod outputs;
mod placed;
pub mod plan;
pub mod prepare;
pub mod published;
mod told;

pub mod backend;
mod closest;
pub mod fine_tuning;
mod freeze;
mod frozen_layers;
mod glob;
pub mod step;
pub mod step_batches;

pub mod accumulate;
pub mod clip;
mod criterion;
pub mod divergence;
pub mod ema;
pub mod optimizer;
pub mod read_back;
pub mod schedule;
mod softmax;

pub mod evaluate;
pub mod image_record;
pub mod metric;
pub mod monitor;

pub mod event;
mod metrics_file;
pub mod norms;
pub mod observer;

mod branch;
pub mod checkpoint;
mod checkpoint_names;
mod classify;
mod config_difference;
mod earlier;
mod json;
mod metrics_tail;
pub mod pretrained;
mod resume;
mod retention;
mod run_contents;
pub mod run_folder;
pub mod run_progress;
mod saver;
pub mod train_state;
pub mod trained;
pub mod weights_hash;

pub mod fit;
pub mod recipe;
pub mod replay;
pub mod trace;

pub use check::check;
pub use config::Config;
pub use criterion::Criterion;
pub use error::{ErrorKind, TrainError};
pub use event::{Control, Event, Split};
pub use fit::{Outcome, Status, fit, fit_network};
pub use observer::{Observer, Observers};
pub use plan::Plan;
pub use prepare::{fill_in_preparation, plan_for};
pub use recipe::Recipe;
pub use train_state::TrainState;
