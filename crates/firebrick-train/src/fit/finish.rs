//! The end of a run: its summary, and the network that comes of it.

use std::path::PathBuf;

use firebrick_models::ImageClassifier;

use super::run::Run;
use crate::error::TrainError;
use crate::event::{Event, Summary};
use crate::weights_hash::weights_sha256;

/// How a run ended, when it ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All steps are done.
    Completed,
    /// An observer asked to stop; a checkpoint holds everything to go on.
    Stopped,
}

impl Status {
    /// As `summary.json` has it.
    fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Stopped => "stopped",
        }
    }
}

/// A finished or stopped run.
#[derive(Debug, Clone)]
pub struct Outcome<M> {
    /// How it ended.
    pub status: Status,
    /// The network with its last weights, in validation mode.
    pub model: M,
    /// What `summary.json` says.
    pub summary: Summary,
    /// The run's folder.
    pub run_dir: PathBuf,
}

impl<M: ImageClassifier> Run<'_, M> {
    pub(super) fn finish(mut self) -> Result<Outcome<M>, TrainError> {
        let is_completed = self.state.is_finished() && self.is_closed();
        let status = if is_completed { Status::Completed } else { Status::Stopped };
        let model = self.state.trained();
        let mut summary = self.summary(status, &model);
        // A run that was finished before keeps the summary of the process that finished it.
        match self.folder.summary() {
            Some(earlier) if earlier.is_same_end(&summary) => summary = earlier,
            Some(_) | None => self.folder.write_summary(&summary)?,
        }
        self.folder.check()?;
        self.tell(Event::Finished(summary.clone()))?;
        Ok(Outcome { status, model, summary, run_dir: self.folder.path().to_owned() })
    }

    fn summary(&self, status: Status, model: &M) -> Summary {
        let progress = &self.state.progress;
        let newest = progress.newest();
        Summary {
            status: status.name().to_owned(),
            steps: progress.position.step,
            epochs: progress.position.epoch,
            split: self.plan.deciding_split(),
            best: progress.bests.first().cloned(),
            last: newest.as_ref().map(|scores| scores.score()),
            ema: newest.as_ref().and_then(|scores| scores.ema),
            metrics: newest.map(|scores| scores.metrics).unwrap_or_default(),
            test: progress.closing.as_ref().and_then(|closing| closing.test.clone()),
            recoveries: progress.recoveries,
            images_per_second: progress.images as f64 / progress.training_seconds.max(f64::MIN_POSITIVE),
            weights_sha256: weights_sha256(model),
            ema_sha256: self.state.averaged().as_ref().map(weights_sha256),
            seconds: self.begun.elapsed().as_secs_f64(),
        }
    }
}
