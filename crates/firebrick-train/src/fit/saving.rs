//! When a checkpoint is due, and what it holds.

use std::time::Duration;

use firebrick_models::ImageClassifier;

use super::Run;
use crate::checkpoint::{Retention, Snapshot, State};
use crate::config::CheckpointEvery;
use crate::error::TrainError;
use crate::event::{CheckpointRecord, Event};

impl Run<'_> {
    /// Whether a checkpoint is due in the middle of an epoch; its end always gets one.
    pub(super) fn is_due(&self) -> bool {
        let trainer = &self.plan.config.trainer;
        let by_steps = match trainer.checkpoint_every {
            CheckpointEvery::Epoch => false,
            CheckpointEvery::Steps(steps) => self.progress.position.step.is_multiple_of(steps),
        };
        let by_time = |minutes: f64| {
            Duration::try_from_secs_f64(minutes * 60.0).is_ok_and(|due| self.saved_at.elapsed() >= due)
        };
        by_steps || trainer.checkpoint_every_minutes.is_some_and(by_time)
    }

    /// Begins to write a checkpoint of the current position; the next [`Saver`](crate::saver::Saver)
    /// call tells how it went.
    pub(super) fn save<M: ImageClassifier>(&mut self, model: &M) -> Result<(), TrainError> {
        let state = State {
            format_version: State::FORMAT_VERSION,
            progress: self.progress.clone(),
            metrics_bytes: self.folder.metrics_bytes(),
            schedule: self.schedule.state(),
            weights_sha256: String::new(), // the writer computes it, beside training
            config: self.plan.config.to_toml()?,
            dataset: self.plan.datasets.info.clone(),
            preprocess: self.plan.datasets.test.preprocess().clone(),
        };
        let retention = Retention {
            keep_last: self.plan.config.trainer.keep_last,
            best_steps: self.progress.bests.iter().map(|best| best.step).collect(),
        };
        let metrics = self.folder.metrics()?;
        let snapshot = Snapshot::take(model, &self.optimizer, self.ema.as_ref(), state, metrics, retention)?;
        let earlier = self.saver.begin(snapshot)?;
        self.saved_at = std::time::Instant::now();
        self.tell_saved(earlier)
    }

    pub(super) fn tell_saved(&mut self, saved: Option<CheckpointRecord>) -> Result<(), TrainError> {
        saved.map_or(Ok(()), |record| self.tell(Event::Checkpoint(record)))
    }
}
