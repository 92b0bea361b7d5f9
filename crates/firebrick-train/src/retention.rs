//! Which checkpoints stay beside the newest, and removing the others.

use std::path::Path;

use firebrick_storage::{MANIFEST_FILE, StorageError, is_of_the_system, remove_folder};

use crate::checkpoint_names::{EMA, MODEL, OPTIMIZER, STATE, all_steps, folder_name};
use crate::error::TrainError;

/// Which checkpoints stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retention {
    /// How many of the newest.
    pub keep_last: usize,
    /// Steps with the best evaluations, the best first.
    pub best_steps: Vec<u64>,
    /// The step that a divergence would bring back.
    pub point_of_return: Option<u64>,
}

impl Retention {
    fn keeps(&self, step: u64) -> bool {
        self.best_steps.contains(&step) || self.point_of_return == Some(step)
    }
}

/// Removes what need not stay beside the checkpoint of `newest`, which has just been written. Those of later steps are
/// nothing that this process made: they stay, and count for nothing.
pub(crate) fn remove_old(checkpoints: &Path, newest: u64, retention: &Retention) -> Result<(), TrainError> {
    let mut steps = all_steps(checkpoints)?;
    steps.retain(|step| *step <= newest);
    steps.sort_unstable();
    let surplus = steps.len().saturating_sub(retention.keep_last);
    for step in &steps[..surplus] {
        let folder = checkpoints.join(folder_name(*step));
        if !retention.keeps(*step) && holds_nothing_else(&folder)? {
            match remove_folder(&folder) {
                // It takes room and does no harm; the new checkpoint is good.
                Err(error) if error.is_refused_by_system() => {}
                removed => removed?,
            }
        }
    }
    Ok(())
}

/// Whether a checkpoint's folder has only files of the checkpoint; what somebody else has put there is not ours to remove.
fn holds_nothing_else(folder: &Path) -> Result<bool, TrainError> {
    let unreadable = |source| StorageError::io(folder, "list", source);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let is_ours = [MODEL, OPTIMIZER, EMA, STATE, MANIFEST_FILE].iter().any(|file| name == *file);
        if !is_ours && !is_of_the_system(&name.to_string_lossy()) {
            return Ok(false);
        }
    }
    Ok(true)
}
