//! How far a run is: the plain numbers of a checkpoint, and what an evaluation changes in them.

use serde::{Deserialize, Serialize};

use crate::early_stopping::EarlyStopping;
use crate::event::{Best, Score};

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

/// Everything that changes while a run runs, but tensors and the schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunProgress {
    /// How far the run is.
    pub position: Position,
    /// The best evaluations, best first, as many as checkpoints of them stay.
    pub bests: Vec<Best>,
    /// The last evaluation.
    pub last: Option<Score>,
    /// The last evaluation of the averaged weights.
    pub last_ema: Option<Score>,
    /// A stop interrupted the evaluation that belongs to this position.
    pub evaluation_due: bool,
    /// Whether evaluations still improve.
    pub early_stopping: EarlyStopping,
    /// Steps that were refused because a number was not finite.
    pub recoveries: u64,
    /// Images trained on.
    pub images: u64,
    /// Time spent training, evaluation and saving not counted, in seconds.
    pub training_seconds: f64,
}

impl RunProgress {
    /// Counts a step over `batches` batches; the epoch ends after `batches_per_epoch`.
    pub(crate) fn advance(&mut self, batches: u64, batches_per_epoch: u64, images: usize, seconds: f64) {
        self.images += images as u64;
        self.training_seconds += seconds;
        self.position.step += 1;
        self.position.batch += batches;
        if self.position.batch >= batches_per_epoch {
            self.position.epoch += 1;
            self.position.batch = 0;
        }
    }

    /// The epoch that is running, or the one just finished, counted from 1.
    pub(crate) fn epoch_number(&self) -> u64 {
        self.position.epoch + u64::from(self.position.batch > 0)
    }

    /// Takes in an evaluation at the current position, and keeps the `keep_best` best; the earlier
    /// one of equals is the better one.
    pub(crate) fn score(&mut self, score: Score, keep_best: usize) {
        self.last = Some(score);
        let best = Best { epoch: self.epoch_number(), step: self.position.step, accuracy: score.accuracy };
        let better = |other: &Best| best.accuracy > other.accuracy;
        let place = self.bests.iter().position(better).unwrap_or(self.bests.len());
        self.bests.insert(place, best);
        self.bests.truncate(keep_best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_ends_with_its_last_batch_also_when_a_step_takes_several() {
        let mut progress = RunProgress::default();
        for batches in [2, 2, 1] {
            progress.advance(batches, 5, 10, 0.5);
        }
        assert_eq!(progress.position, Position { step: 3, epoch: 1, batch: 0 });
        assert_eq!((progress.images, progress.training_seconds), (30, 1.5));
    }

    #[test]
    fn the_best_come_first_and_the_earlier_of_equals_before_the_later() {
        let mut progress = RunProgress::default();
        for accuracy in [0.5, 0.7, 0.7, 0.6] {
            progress.advance(1, 1, 1, 0.0);
            progress.score(Score { loss: 0.0, accuracy }, 3);
        }
        assert_eq!(progress.bests.iter().map(|best| best.step).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
