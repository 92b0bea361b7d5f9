//! What must hold before the first step: finite weights, a checkpoint that can be written, and room for
//! those to come. Better to hear it now than after an hour.

use firebrick_models::ImageClassifier;
use firebrick_storage::available_bytes;

use super::Run;
use crate::checkpoint::{self, Checkpoint};
use crate::error::TrainError;

/// A line of `metrics.jsonl` is shorter.
const METRICS_BYTES_PER_STEP: u64 = 256;

impl Run<'_> {
    /// Writes the checkpoint that a fresh run begins with and checks that the disk has room for the
    /// run's others.
    pub(super) fn preflight<M: ImageClassifier>(
        &mut self,
        model: M,
        begun_from: Option<&Checkpoint>,
    ) -> Result<M, TrainError> {
        let model = self.with_finite_weights(model)?;
        if begun_from.is_none() {
            self.save(&model)?;
        }
        let path = match (self.saver.wait()?, begun_from) {
            (Some(record), _) => {
                let path = record.path.clone();
                self.tell_saved(Some(record))?;
                path
            }
            (None, Some(checkpoint)) => checkpoint.path.clone(),
            (None, None) => return Ok(model),
        };
        self.check_room(checkpoint::size_bytes(&path)?)?;
        Ok(model)
    }

    fn check_room(&self, checkpoint_bytes: u64) -> Result<(), TrainError> {
        if self.is_finished() {
            return Ok(());
        }
        let trainer = &self.plan.config.trainer;
        let steps = self.plan.total_steps - self.progress.position.step.min(self.plan.total_steps);
        // One is there already; one more exists while it is written.
        let checkpoints = (trainer.keep_last + trainer.keep_best) as u64;
        let needed = checkpoints
            .saturating_mul(checkpoint_bytes)
            .saturating_add(steps.saturating_mul(METRICS_BYTES_PER_STEP));
        let available = available_bytes(self.folder.path())?;
        if available >= needed {
            return Ok(());
        }
        Err(TrainError::Checkpoint {
            path: self.folder.path().to_owned(),
            message: format!(
                "the disk has too little room for this run: expected {needed} bytes ({checkpoints} checkpoints of \
                 {checkpoint_bytes} bytes, and metrics.jsonl), got {available}; free some, lower trainer.keep_last, \
                 or set output.root to another disk; then --resume goes on"
            ),
        })
    }
}
