//! Saving beside training: one checkpoint at a time is written by a thread of its own, so that training
//! waits no longer than it takes to copy the weights.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use firebrick_storage::{AppendFile, RunLock, StorageError};

use crate::checkpoint::{Retention, Snapshot};
use crate::error::TrainError;
use crate::event::CheckpointRecord;

type Saving = JoinHandle<Result<CheckpointRecord, TrainError>>;

/// Writes the checkpoints of a run. Dropping it waits for the one that is being written: after a run
/// nothing writes into its folder.
pub(crate) struct Saver {
    checkpoints: PathBuf,
    lock: Arc<RunLock>,
    saving: Option<Saving>,
}

impl Saver {
    pub(crate) fn new(checkpoints: PathBuf, lock: Arc<RunLock>) -> Self {
        Self { checkpoints, lock, saving: None }
    }

    /// Begins to write a checkpoint, after the one before is done; gives that one's record. `metrics` is
    /// `metrics.jsonl`, whose lines must be durable before the checkpoint is.
    pub(crate) fn begin(
        &mut self,
        snapshot: Snapshot,
        metrics: AppendFile,
        retention: Retention,
    ) -> Result<Option<CheckpointRecord>, TrainError> {
        let earlier = self.wait()?;
        let (checkpoints, lock) = (self.checkpoints.clone(), self.lock.clone());
        let write = move || {
            // A folder or file that somebody has removed or replaced meanwhile is not the run's any more.
            lock.check()?;
            metrics.sync()?;
            metrics.check()?;
            let record = snapshot.write(&checkpoints, &retention)?;
            lock.check()?;
            Ok(record)
        };
        let saving = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(write)
            .map_err(|source| StorageError::io(&self.checkpoints, "start a thread to write", source))?;
        self.saving = Some(saving);
        Ok(earlier)
    }

    /// The record of the checkpoint that has come to its end since the last call, if one has.
    pub(crate) fn poll(&mut self) -> Result<Option<CheckpointRecord>, TrainError> {
        if self.saving.as_ref().is_some_and(JoinHandle::is_finished) { self.wait() } else { Ok(None) }
    }

    /// Waits for the checkpoint that is being written, if one is.
    pub(crate) fn wait(&mut self) -> Result<Option<CheckpointRecord>, TrainError> {
        let Some(saving) = self.saving.take() else { return Ok(None) };
        match saving.join() {
            Ok(result) => result.map(Some),
            Err(_) => Err(TrainError::Checkpoint {
                path: self.checkpoints.clone(),
                message:
                    "the thread that writes checkpoints has panicked; this is a defect, please report it"
                        .to_owned(),
            }),
        }
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        if let Some(saving) = self.saving.take() {
            // An error that ended the run is on its way already; this one adds nothing to it.
            let _ = saving.join();
        }
    }
}
