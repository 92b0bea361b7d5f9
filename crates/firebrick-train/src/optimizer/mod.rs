//! Optimisers with torch's names, arguments, defaults and order of operations.
//!
//! One file is one optimiser: its arguments, their checks and its update of one parameter, which make it a
//! [`Rule`]; its line in `config.rs` gives it a name. What is the same for all of them stands in the other files:
//! `group` (other arguments for some parameters), [`state`] (saving and restoring), `update` (walking through the
//! model). A program adds an optimiser of its own by [`OptimizerConfig::register`].
//!
//! State is kept by parameter path, such as `conv1.weight`, never by Burn's random ids, so that it
//! finds its parameter again in another process. No step reads anything back from the device.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod arguments;
mod config;
mod driver;
mod error;
mod formula;
mod group;
mod group_config;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rates;
mod restore;
mod rmsprop;
mod rule;
mod sgd;
pub mod state;
mod update;

pub use firebrick_component::ArgumentError;

pub use adadelta::AdadeltaConfig;
pub use adagrad::AdagradConfig;
pub use adam::AdamConfig;
pub use adamax::AdamaxConfig;
pub use adamw::AdamWConfig;
pub use config::OptimizerConfig;
pub use driver::Optimizer;
pub use error::OptimizerError;
pub use group_config::{GroupConfig, Tunables};
pub use lion::LionConfig;
pub use muon::{AdjustLr, MuonConfig};
pub use nadam::NAdamConfig;
pub use radam::RAdamConfig;
pub use rates::Rates;
pub use rmsprop::RmsPropConfig;
pub use rule::{Layouts, Memory, Rule, StepContext};
pub use sgd::SgdConfig;
pub use state::{OptimizerState, ParameterState};

pub(crate) use formula::lerp;
pub(crate) use restore::{read_back, upload};
