//! A loss, gradient or weight that is not finite: what is written about it, and how the run goes on.

use firebrick_models::ImageClassifier;
use firebrick_models::parameters::named_parameters;

use super::Run;
use crate::checkpoint::{self, Which};
use crate::config::OnDivergence;
use crate::divergence::{Action, Divergence};
use crate::error::TrainError;
use crate::event::{Event, RefusedRecord};
use crate::step::Refusal;

impl Run<'_> {
    /// Goes on after the step at the current position was refused, if it may.
    pub(super) fn recover<M: ImageClassifier>(
        &mut self,
        model: M,
        refusal: Refusal,
        epoch: u64,
        samples: Vec<usize>,
    ) -> Result<M, TrainError> {
        let (model, divergence) = self.decide(model, refusal, epoch, samples)?;
        self.tell(Event::Refused(RefusedRecord::of(&divergence)))?;
        Ok(model)
    }

    /// Follows `trainer.on_divergence`, and writes what happened to `diverged.json`.
    fn decide<M: ImageClassifier>(
        &mut self,
        model: M,
        refusal: Refusal,
        epoch: u64,
        samples: Vec<usize>,
    ) -> Result<(M, Divergence), TrainError> {
        let step = self.progress.position.step;
        let trainer = &self.plan.config.trainer;
        let may_go_on = self.progress.recoveries < trainer.max_recoveries;
        // With broken weights every batch is refused: skipping would only count to the bound.
        let is_of_batch = !samples.is_empty() && refusal.weights_are_finite();
        let (model, action) = match trainer.on_divergence {
            OnDivergence::SkipBatch if may_go_on && is_of_batch => (model, Action::SkippedBatch),
            OnDivergence::RestoreLast if may_go_on => self.restore_last(model)?,
            _ => (model, Action::Stopped),
        };
        self.progress.recoveries += u64::from(action != Action::Stopped);
        let divergence = Divergence {
            step,
            epoch,
            what: refusal.what,
            value: refusal.value,
            lr: self.schedule.lr(step.saturating_sub(1)),
            loss: refusal.report.loss,
            grad_norm: refusal.report.grad_norm,
            samples,
            parameters: refusal.parameters,
            action,
            recoveries: self.progress.recoveries,
        };
        let report = self.folder.write_divergence(&divergence)?;
        if action == Action::Stopped {
            return Err(TrainError::Diverged {
                step,
                what: divergence.what,
                value: divergence.value,
                lr: divergence.lr,
                report,
            });
        }
        Ok((model, divergence))
    }

    /// Looks at every weight: what is not finite must reach neither an evaluation nor a checkpoint.
    pub(super) fn with_finite_weights<M: ImageClassifier>(&mut self, model: M) -> Result<M, TrainError> {
        let broken = named_parameters(&model).into_iter().find_map(|parameter| {
            let value = parameter.data.iter::<f64>().find(|value| !value.is_finite())?;
            Some((parameter.name, value))
        });
        let Some((name, value)) = broken else { return Ok(model) };
        self.recover_outside_step(model, format!("an element of weight {name}"), value)
    }

    /// Goes on, if it may, after something other than a step was found not to be finite; what it was
    /// found in has no batch that could be skipped.
    pub(super) fn recover_outside_step<M: ImageClassifier>(
        &mut self,
        model: M,
        what: String,
        value: f64,
    ) -> Result<M, TrainError> {
        let refusal = Refusal::outside_step(&model, what, value);
        let epoch = self.progress.epoch_number().max(1);
        // The last step has its line in metrics.jsonl already.
        let (model, divergence) = self.decide(model, refusal, epoch, Vec::new())?;
        self.tell(Event::Notice { message: divergence.to_string() })?;
        Ok(model)
    }

    fn restore_last<M: ImageClassifier>(&mut self, model: M) -> Result<(M, Action), TrainError> {
        let saved = self.saver.wait()?;
        self.tell_saved(saved)?;
        let mut notices = Vec::new();
        let found = checkpoint::find(self.folder.path(), &Which::Latest, &mut notices)?;
        for message in notices {
            self.tell(Event::Notice { message })?;
        }
        match found {
            Some(checkpoint) => {
                let step = checkpoint.state.progress.position.step;
                Ok((self.restore_tensors(model, &checkpoint)?.train(), Action::Restored { step }))
            }
            None => Ok((model, Action::Stopped)),
        }
    }
}
