//! `verify --against TRACE`: a training run step for step beside a recorded one.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::exit::Exit;
use crate::message::Failure;

/// What `verify --against` takes.
#[derive(Debug, Args)]
pub struct AgainstArguments {
    /// Train by --config and compare each step with this recording
    #[arg(long, value_name = "TRACE", requires = "config")]
    pub against: Option<PathBuf>,

    /// Config to train by; it needs model.weights and data.shuffle = false
    #[arg(long, value_name = "FILE", requires = "against")]
    pub config: Option<PathBuf>,

    /// Change a key of the config, as in --set trainer.backend=flex; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE", requires = "against")]
    pub set: Vec<String>,

    /// Largest difference of two losses, or of two norms, that still counts as equal
    #[arg(long, value_name = "X", default_value_t = 2e-4, requires = "against")]
    pub tolerance: f64,
}

/// Replays and compares.
pub fn run(trace: &Path, _arguments: &AgainstArguments) -> Result<Exit, Failure> {
    Err(Failure::usage(format!("{}: --against is not there yet", trace.display())))
}
