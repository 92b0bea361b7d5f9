//! How far a run is: the plain numbers of a checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Best, Score, SplitScores};
use crate::monitor::early_stopping::EarlyStopping;

/// Counts of finished things, so the next batch is `batch` of epoch `epoch`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Finished optimiser steps, refused ones included.
    pub step: u64,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished batches of the epoch after those.
    pub batch: u64,
}

impl Position {
    /// Whether a whole epoch has just ended, or nothing has begun.
    pub fn is_between_epochs(&self) -> bool {
        self.batch == 0
    }
}

/// Everything that changes while a run runs, but tensors and the schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunProgress {
    /// How far the run is.
    pub position: Position,
    /// The best evaluations, best first, as many as checkpoints of them stay.
    pub bests: Vec<Best>,
    /// The last evaluation at the end of an epoch.
    pub last: Option<Score>,
    /// The last evaluation of the averaged weights.
    pub last_ema: Option<Score>,
    /// The metrics of the last evaluation, beside loss and accuracy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_metrics: BTreeMap<String, f64>,
    /// A stop interrupted the evaluation that belongs to this position.
    pub evaluation_due: bool,
    /// Whether evaluations still improve.
    pub early_stopping: EarlyStopping,
    /// Steps that were refused because a number was not finite.
    pub recoveries: u64,
    /// Finished steps of the last checkpoint that `trainer.checkpoint_every` alone has brought about: where
    /// `trainer.on_divergence = "restore_last"` goes back to. Checkpoints of older versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_of_return: Option<u64>,
    /// Images trained on.
    pub images: u64,
    /// Time spent training, evaluation and saving not counted, in seconds.
    pub training_seconds: f64,
    /// What was evaluated only because the run was at its end. A run that goes on forgets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
}

/// Evaluations at the end of a run that it would not have made had it gone on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// Length of `metrics.jsonl` before them, in bytes.
    pub metrics_bytes: u64,
    /// The split that decides, where `trainer.max_steps` ended the run inside an epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<SplitScores>,
    /// The test split, where the validation split decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<SplitScores>,
}

impl RunProgress {
    /// Counts a step over `batches` batches; the epoch ends after `batches_per_epoch`.
    pub(crate) fn advance(&mut self, batches: u64, batches_per_epoch: u64, images: usize) {
        self.images += images as u64;
        self.position.step += 1;
        self.position.batch += batches;
        if self.position.batch >= batches_per_epoch {
            self.position.epoch += 1;
            self.position.batch = 0;
        }
    }

    /// The epoch that is running, or the one just finished, counted from 1.
    pub(crate) fn epoch_number(&self) -> u64 {
        self.position.epoch + u64::from(!self.position.is_between_epochs())
    }

    /// Notes the evaluation of the epoch that has just ended.
    pub(crate) fn note(&mut self, scores: &SplitScores) {
        self.evaluation_due = false;
        self.last = Some(scores.score());
        self.last_ema = scores.ema;
        self.last_metrics.clone_from(&scores.metrics);
    }

    /// The newest evaluation of the split that decides.
    pub(crate) fn newest(&self) -> Option<SplitScores> {
        let closing = self.closing.as_ref().and_then(|closing| closing.last.clone());
        closing.or_else(|| {
            let Score { loss, accuracy } = self.last?;
            Some(SplitScores { loss, accuracy, metrics: self.last_metrics.clone(), ema: self.last_ema })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_ends_with_its_last_batch_also_when_a_step_takes_several() {
        let mut progress = RunProgress::default();
        for batches in [2, 2, 1] {
            progress.advance(batches, 5, 10);
        }
        assert_eq!(progress.position, Position { step: 3, epoch: 1, batch: 0 });
        assert_eq!((progress.images, progress.epoch_number()), (30, 1));
    }
}
