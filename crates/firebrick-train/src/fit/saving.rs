//! When a checkpoint is due, and writing it.

use std::time::{Duration, Instant};

use firebrick_models::ImageClassifier;

use super::run::Run;
use crate::config::CheckpointEvery;
use crate::error::TrainError;
use crate::event::{CheckpointRecord, Event};

impl<M: ImageClassifier> Run<'_, M> {
    /// Whether a checkpoint is due in the middle of an epoch; its end always gets one.
    pub(super) fn is_due(&self) -> bool {
        let trainer = &self.plan.config.trainer;
        let by_steps = match trainer.checkpoint_every {
            CheckpointEvery::Epoch => false,
            CheckpointEvery::Steps(steps) => self.state.progress.position.step.is_multiple_of(steps),
        };
        let by_time = |minutes: f64| {
            Duration::try_from_secs_f64(minutes * 60.0).is_ok_and(|due| self.saved_at.elapsed() >= due)
        };
        by_steps || trainer.checkpoint_every_minutes.is_some_and(by_time)
    }

    /// Begins to write a checkpoint of the current position; the next [`Saver`](crate::saver::Saver)
    /// call tells how it went.
    pub(super) fn save(&mut self) -> Result<(), TrainError> {
        self.save_with_metrics(self.metrics.bytes())
    }

    /// As [`Self::save`]; a resume keeps the first `metrics_bytes` of `metrics.jsonl`.
    pub(super) fn save_with_metrics(&mut self, metrics_bytes: u64) -> Result<(), TrainError> {
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
