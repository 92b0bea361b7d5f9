//! What is decided by the evaluations of the validation split (of the test split where there is none): the best
//! checkpoint, early stopping, the schedule `plateau`. And when a run is at its end.
//!
//! They are told the evaluation at the end of each epoch and no other. Where `trainer.max_steps` ends a run inside
//! an epoch its weights are evaluated, too, but that counts for nothing here: a run that goes on later must find everything as
//! if it had never stopped.

mod best;
pub mod early_stopping;

use crate::config::TrainerConfig;
use crate::event::{Best, Score};
use crate::run_progress::RunProgress;
use crate::schedule::{PlateauMetric, Schedule};

/// Tells each monitor the score of an epoch that has just ended.
pub(crate) fn hear(
    trainer: &TrainerConfig,
    score: Score,
    progress: &mut RunProgress,
    schedule: &mut Schedule,
) {
    let (epoch, step) = (progress.epoch_number(), progress.position.step);
    let best = Best { epoch, step, accuracy: score.accuracy };
    best::insert(&mut progress.bests, best, trainer.keep_best);
    match schedule.watches() {
        Some(PlateauMetric::Loss) => schedule.observe(score.loss),
        Some(PlateauMetric::Accuracy) => schedule.observe(score.accuracy),
        None => {}
    }
    if let Some(config) = &trainer.early_stopping {
        progress.early_stopping.observe(config, score);
    }
}

/// Whether a run of `total_steps` steps has no step left to take.
pub(crate) fn is_finished(trainer: &TrainerConfig, total_steps: u64, progress: &RunProgress) -> bool {
    let is_over = |config| progress.early_stopping.is_over(config);
    progress.position.step >= total_steps || trainer.early_stopping.as_ref().is_some_and(is_over)
}
