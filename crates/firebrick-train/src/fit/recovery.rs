//! A loss, gradient or weight that is not finite: what is written about it, and how the run goes on.

use firebrick_models::ImageClassifier;
use firebrick_models::parameters::named_parameters;

use super::run::Run;
use crate::checkpoint::{self, Checkpoint, Which};
use crate::config::OnDivergence;
use crate::divergence::{Action, Divergence};
use crate::error::TrainError;
use crate::event::{Event, RefusedRecord};
use crate::step::Refusal;

impl<M: ImageClassifier> Run<'_, M> {
    /// Goes on after the step at the current position was refused, if it may.
    pub(super) fn recover(
        &mut self,
        refusal: Refusal,
        epoch: u64,
        samples: Vec<usize>,
    ) -> Result<(), TrainError> {
        let divergence = self.decide(refusal, epoch, samples)?;
        self.tell(Event::Refused(RefusedRecord::of(&divergence)))
    }

    /// Looks at every weight, and recovers: what is not finite must reach neither an evaluation nor a checkpoint. Only
    /// where every run of the config looks: a recovery changes the numbers.
    pub(super) fn check_weights(&mut self) -> Result<(), TrainError> {
        match self.broken_weight() {
            Some((what, value)) => self.recover_outside_step(what, value),
            None => Ok(()),
        }
    }

    /// The same where nothing but `trainer.max_steps` ends the run: it has no number that a longer run has not.
    pub(super) fn end_if_weights_are_broken(&mut self) -> Result<(), TrainError> {
        match self.broken_weight() {
            Some((what, value)) => self.end_outside_step(what, value),
            None => Ok(()),
        }
    }

    /// An element that is not finite, if there is one, and its value.
    pub(super) fn broken_weight(&self) -> Option<(String, f64)> {
        named_parameters(self.state.model()).into_iter().find_map(|parameter| {
            let value = parameter.data.iter::<f64>().find(|value| !value.is_finite())?;
            Some((format!("an element of weight {}", parameter.name), value))
        })
    }

    /// Goes on, if it may, after something other than a step was found not to be finite; what it was
    /// found in has no batch that could be skipped.
    pub(super) fn recover_outside_step(&mut self, what: String, value: f64) -> Result<(), TrainError> {
        let refusal = Refusal::outside_step(self.state.model(), what, value)?;
        let epoch = self.state.progress.epoch_number().max(1);
        // The last step has its line in metrics.jsonl already.
        let divergence = self.decide(refusal, epoch, Vec::new())?;
        self.tell(Event::Notice { message: divergence.to_string() })
    }

    /// Ends the run, whatever `trainer.on_divergence` says, after a number was found not to be finite that must
    /// not change the weights. Always an error.
    pub(super) fn end_outside_step(&mut self, what: String, value: f64) -> Result<(), TrainError> {
        let refusal = Refusal::outside_step(self.state.model(), what, value)?;
        let epoch = self.state.progress.epoch_number().max(1);
        self.record(refusal, epoch, Vec::new(), Action::Stopped).map(drop)
    }

    /// Follows `trainer.on_divergence`.
    fn decide(
        &mut self,
        refusal: Refusal,
        epoch: u64,
        samples: Vec<usize>,
    ) -> Result<Divergence, TrainError> {
        let action = self.act(&refusal, &samples)?;
        self.record(refusal, epoch, samples, action)
    }

    /// Writes what happened to `diverged.json`.
    fn record(
        &mut self,
        refusal: Refusal,
        epoch: u64,
        samples: Vec<usize>,
        action: Action,
    ) -> Result<Divergence, TrainError> {
        let step = self.state.progress.position.step;
        self.state.progress.recoveries += u64::from(action != Action::Stopped);
        let divergence = Divergence {
            step,
            epoch,
            what: refusal.what,
            value: refusal.value,
            lr: self.state.lr(step.saturating_sub(1)),
            loss: refusal.report.map(|report| report.loss),
            grad_norm: refusal.report.map(|report| report.grad_norm),
            samples,
            parameters: refusal.parameters,
            action,
            recoveries: self.state.progress.recoveries,
        };
        let report = self.folder.write_divergence(&divergence)?;
        if action == Action::Stopped {
            let Divergence { what, value, lr, .. } = divergence;
            return Err(TrainError::Diverged { step, what, value, lr, report });
        }
        Ok(divergence)
    }

    fn act(&mut self, refusal: &Refusal, samples: &[usize]) -> Result<Action, TrainError> {
        let trainer = &self.plan.config.trainer;
        if self.state.progress.recoveries >= trainer.max_recoveries {
            return Ok(Action::Stopped);
        }
        // With broken weights every batch is refused: skipping would only count to the bound.
        let is_of_batch = !samples.is_empty() && refusal.weights_are_finite();
        match trainer.on_divergence {
            OnDivergence::SkipBatch if is_of_batch => Ok(Action::SkippedBatch),
            OnDivergence::RestoreLast => self.restore_last(),
            OnDivergence::SkipBatch | OnDivergence::Stop => Ok(Action::Stopped),
        }
    }

    /// Goes back to the last checkpoint that the config alone has brought about, not to one that a stop or the time
    /// has: where a run was stopped must not change its numbers.
    fn restore_last(&mut self) -> Result<Action, TrainError> {
        self.wait_for_saver()?;
        let Some(step) = self.state.progress.point_of_return else { return self.restore_newest() };
        match checkpoint::at_step(self.folder.path(), step) {
            Ok(checkpoint) => self.go_back_to(&checkpoint),
            Err(error) => {
                let message = format!(
                    "cannot go back to step {step}, the last checkpoint that trainer.checkpoint_every asked for, as \
                     trainer.on_divergence = \"restore_last\" has it: {error}"
                );
                self.tell(Event::Notice { message })?;
                Ok(Action::Stopped)
            }
        }
    }

    /// Goes back as versions did that did not record where to: to the newest checkpoint. A run that has just begun has
    /// none yet.
    fn restore_newest(&mut self) -> Result<Action, TrainError> {
        let mut notices = Vec::new();
        let found = checkpoint::find(self.folder.path(), &Which::Latest, &mut notices)?;
        self.tell_notices(notices)?;
        found.map_or(Ok(Action::Stopped), |checkpoint| self.go_back_to(&checkpoint))
    }

    fn go_back_to(&mut self, checkpoint: &Checkpoint) -> Result<Action, TrainError> {
        self.state.go_back_to(checkpoint)?;
        Ok(Action::Restored { step: checkpoint.state.progress.position.step })
    }
}
