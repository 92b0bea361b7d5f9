//! The config reader and the loop, as a program meets them.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "train/backend.rs"]
mod backend;
#[path = "train/config.rs"]
mod config;
#[path = "train/cuts.rs"]
mod cuts;
#[path = "train/damage.rs"]
mod damage;
#[path = "train/definitions.rs"]
mod definitions;
#[path = "train/fine_tuning.rs"]
mod fine_tuning;
#[path = "train/fine_tuning_golden.rs"]
mod fine_tuning_golden;
#[path = "train/loss_recipes.rs"]
mod loss_recipes;
#[path = "train/loss_runs.rs"]
mod loss_runs;
#[path = "train/metrics.rs"]
mod metrics;
#[path = "train/mixup.rs"]
mod mixup;
#[path = "train/overrides.rs"]
mod overrides;
#[path = "train/own.rs"]
mod own;
#[path = "train/parity.rs"]
mod parity;
#[path = "train/recipe.rs"]
mod recipe;
#[path = "train/sequential.rs"]
mod sequential;
#[path = "train/state.rs"]
mod state;
#[path = "train/trace.rs"]
mod trace;
#[path = "train/type_names.rs"]
mod type_names;
#[path = "train/validation.rs"]
mod validation;
#[path = "train/watched.rs"]
mod watched;
#[path = "train/whitening.rs"]
mod whitening;
#[path = "train/wrong.rs"]
mod wrong;
