//! What must hold before the first step: finite weights, a checkpoint that can be written, and room for
//! those to come. An error now is better than one after an hour.

use firebrick_models::ImageClassifier;
use firebrick_models::parameters::num_trained;
use firebrick_storage::available_bytes;

use super::run::Run;
use crate::checkpoint;
use crate::config::{CheckpointEvery, OnDivergence};
use crate::error::TrainError;

/// A line of `metrics.jsonl` is shorter.
const METRICS_BYTES_PER_STEP: u64 = 256;

impl<M: ImageClassifier> Run<'_, M> {
    /// Writes the checkpoint that a fresh run begins with and checks that the disk has room for the
    /// run's others.
    pub(super) fn preflight(&mut self, is_fresh: bool) -> Result<(), TrainError> {
        self.check_weights()?;
        if is_fresh {
            self.save()?;
        }
        self.wait_for_saver()?;
        self.check_room()
    }

    /// How many checkpoints of different steps the rest of the run writes at most.
    fn checkpoints_to_come(&self) -> u64 {
        let (plan, step) = (self.plan, self.state.progress.position.step);
        let (total, trainer) = (plan.total_steps, &plan.config.trainer);
        if trainer.checkpoint_every_minutes.is_some() {
            return total - step;
        }
        let (by_steps, by_both) = match trainer.checkpoint_every {
            CheckpointEvery::Epoch => (None, None),
            CheckpointEvery::Steps(steps) => {
                (Some(steps), least_common_multiple(steps, plan.steps_per_epoch))
            }
        };
        let between = |every: u64| total / every - step / every;
        let is_due = |every: u64| total.is_multiple_of(every);
        let at_the_end = !is_due(plan.steps_per_epoch) && !by_steps.is_some_and(is_due);
        between(plan.steps_per_epoch) + by_steps.map_or(0, between) - by_both.map_or(0, between)
            + u64::from(at_the_end)
    }

    fn check_room(&self) -> Result<(), TrainError> {
        if self.state.is_finished() {
            return Ok(());
        }
        let trainer = &self.plan.config.trainer;
        let steps = self.plan.total_steps - self.state.progress.position.step;
        // Weights, what the optimiser remembers of each, and their average: all f32.
        let copies = self.state.optimizer.max_state_tensors() + usize::from(self.state.ema.is_some());
        let all = self.state.model().num_params();
        let thaws = self.plan.config.model.freeze.as_ref().is_some_and(|freeze| freeze.until_epoch.is_some());
        let trained = if thaws { all } else { num_trained(self.state.model()) };
        let checkpoint_bytes = (4 * (all + trained * copies)) as u64;
        let steps_present = checkpoint::all_steps(&self.folder.checkpoints())?;
        // That of step 0 is small: nothing is remembered yet.
        let present = steps_present.iter().filter(|step| **step > 0).count() as u64;
        let kept = (trainer.keep_last as u64).saturating_add(trainer.keep_best as u64);
        // The one that a divergence would bring back.
        let kept = kept.saturating_add(u64::from(trainer.on_divergence == OnDivergence::RestoreLast));
        let kept = kept.min(present.saturating_add(self.checkpoints_to_come()));
        // One more than are kept exists while it is written.
        let checkpoints = kept.saturating_add(1).saturating_sub(present).max(1);
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

/// Nothing where it is larger than any run.
fn least_common_multiple(a: u64, b: u64) -> Option<u64> {
    let (mut divisor, mut rest) = (a, b);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).checked_mul(b)
}
