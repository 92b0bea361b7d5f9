//! What a run is told: the TOML file's tables as types, with torch's names and defaults.
//!
//! Reading knows no component and no key by name. `document.rs` turns text and `--set` overrides into plain tables and
//! remembers where each key stands (`places.rs`), serde turns the tables into a [`Config`], and what serde or
//! [`Config::validate`] refuse is said in words (`words.rs`) with the place of the key (`read.rs`). Nothing here
//! touches anything but the text; [`crate::Plan`] does.

mod checkpoint_every;
mod document;
mod error;
mod freeze;
mod model_section;
mod output;
mod overrides;
mod places;
mod read;
pub mod start_weights;
mod tables;
mod trainer;
mod words;
mod write;

pub use checkpoint_every::CheckpointEvery;
pub use error::ConfigError;
pub use freeze::FreezeConfig;
pub use model_section::ModelSection;
pub use output::OutputConfig;
pub use overrides::Override;
pub use start_weights::StartWeights;
pub use tables::Config;
pub use trainer::{OnDivergence, TrainerConfig};
pub use words::in_words;
