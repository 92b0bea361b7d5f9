//! `verify RUN --replay`: the run's last steps once more, from a checkpoint.

use std::path::Path;

use crate::exit::Exit;
use crate::message::Failure;

/// Trains again from the checkpoint before the last and compares.
pub fn run(run: &Path) -> Result<Exit, Failure> {
    Err(Failure::usage(format!("{}: --replay is not there yet", run.display())))
}
