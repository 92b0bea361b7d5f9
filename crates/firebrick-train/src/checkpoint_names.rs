//! How a checkpoint's folder and the files in it are called.

use std::io::ErrorKind;
use std::path::Path;

use firebrick_storage::StorageError;

use crate::error::TrainError;

/// The weights.
pub(crate) const MODEL: &str = "model.bpk";
/// What the optimiser remembers.
pub(crate) const OPTIMIZER: &str = "optimizer.bpk";
/// There only when the run keeps an average.
pub(crate) const EMA: &str = "ema.bpk";
/// Everything beside the tensors.
pub(crate) const STATE: &str = "state.json";

/// Name of the folder for a step; sorts by number.
pub fn folder_name(step: u64) -> String {
    format!("step-{step:09}")
}

/// Steps of the folders that look like checkpoints.
pub(crate) fn all_steps(checkpoints: &Path) -> Result<Vec<u64>, TrainError> {
    let entries = match std::fs::read_dir(checkpoints) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(source) => return Err(StorageError::io(checkpoints, "list", source).into()),
    };
    let mut steps = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| StorageError::io(checkpoints, "list", source))?;
        let step = entry.file_name().to_str().and_then(step_of_name);
        steps.extend(step.filter(|_| entry.path().is_dir()));
    }
    Ok(steps)
}

/// The step whose checkpoint has this name, if it is the name of one.
pub(crate) fn step_of_name(name: &str) -> Option<u64> {
    let step = name.strip_prefix("step-")?.parse().ok()?;
    (name == folder_name(step)).then_some(step)
}
