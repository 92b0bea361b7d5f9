//! When a checkpoint is due, and writing it.

use std::time::{Duration, Instant};

use firebrick_models::ImageClassifier;

use super::run::Run;
use crate::config::CheckpointEvery;
use crate::error::TrainError;
use crate::event::{CheckpointRecord, Event};

impl<M: ImageClassifier> Run<'_, M> {
    /// Whether the position asks for a checkpoint, wherever the run was stopped: so many steps are done, or an epoch
    /// and its evaluation are. Only such a checkpoint is a point of return after a divergence.
    pub(super) fn is_due_by_position(&self) -> bool {
        let progress = &self.state.progress;
        let by_steps = match self.plan.config.trainer.checkpoint_every {
            CheckpointEvery::Epoch => false,
            CheckpointEvery::Steps(steps) => progress.position.step.is_multiple_of(steps),
        };
        !progress.evaluation_due && (by_steps || progress.position.is_between_epochs())
    }

    /// Whether the last checkpoint is as old as `trainer.checkpoint_every_minutes` says.
    pub(super) fn is_due_by_time(&self) -> bool {
        let is_over = |minutes: f64| {
            Duration::try_from_secs_f64(minutes * 60.0).is_ok_and(|due| self.saved_at.elapsed() >= due)
        };
        self.plan.config.trainer.checkpoint_every_minutes.is_some_and(is_over)
    }

    /// Begins to write a checkpoint of the current position; the next [`Saver`](crate::saver::Saver)
    /// call tells how it went.
    pub(super) fn save(&mut self) -> Result<(), TrainError> {
        self.save_with_metrics(self.metrics.bytes())
    }

    /// As [`Self::save`]; a resume keeps the first `metrics_bytes` of `metrics.jsonl`.
    pub(super) fn save_with_metrics(&mut self, metrics_bytes: u64) -> Result<(), TrainError> {
        if self.is_due_by_position() {
            let progress = &mut self.state.progress;
            progress.point_of_return = Some(progress.position.step);
        }
        let snapshot = self.state.snapshot(metrics_bytes)?;
        let earlier = self.saver.begin(snapshot, self.metrics.handle()?, self.state.retention())?;
        self.saved_at = Instant::now();
        self.tell_saved(earlier)
    }

    /// Waits for the checkpoint that is being written.
    pub(super) fn wait_for_saver(&mut self) -> Result<(), TrainError> {
        let saved = self.saver.wait()?;
        self.tell_saved(saved)
    }

    /// Tells of the checkpoint that has come to its end, if one has.
    pub(super) fn poll_saver(&mut self) -> Result<(), TrainError> {
        let saved = self.saver.poll()?;
        self.tell_saved(saved)
    }

    fn tell_saved(&mut self, saved: Option<CheckpointRecord>) -> Result<(), TrainError> {
        saved.map_or(Ok(()), |record| self.tell(Event::Checkpoint(record)))
    }
}
