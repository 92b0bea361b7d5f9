//! Evaluations: at the end of each epoch, where the monitors hear of them, and at the end of the run.

use std::time::Instant;

use firebrick_models::ImageClassifier;

use super::run::Run;
use crate::error::TrainError;
use crate::event::{Control, EvalRecord, Event, Score, Split, SplitScores, WeightsKind};
use crate::observer;
use crate::run_progress::Closing;

/// A split evaluated with the weights, and with their average where the run keeps one.
struct Passes {
    raw: EvalRecord,
    average: Option<EvalRecord>,
}

impl Passes {
    fn scores(&self) -> SplitScores {
        let EvalRecord { loss, accuracy, metrics, .. } = &self.raw;
        let ema =
            self.average.as_ref().map(|average| Score { loss: average.loss, accuracy: average.accuracy });
        SplitScores { loss: *loss, accuracy: *accuracy, metrics: metrics.clone(), ema }
    }

    fn loss_that_is_not_finite(&self) -> Option<f64> {
        let losses = [Some(self.raw.loss), self.average.as_ref().map(|average| average.loss)];
        losses.into_iter().flatten().find(|loss| !loss.is_finite())
    }
}

impl<M: ImageClassifier> Run<'_, M> {
    /// The evaluation of an epoch that has just ended, and its checkpoint. An observer may stop it; then it is due
    /// when the run goes on.
    pub(super) fn evaluate_epoch(&mut self) -> Result<(), TrainError> {
        let Some(passes) = self.finite_passes()? else {
            self.stop = true;
            self.state.progress.evaluation_due = true;
            return self.save();
        };
        self.state.hear(&passes.scores());
        self.tell_passes(passes)?;
        self.save()
    }

    /// What is evaluated only because the run is at its end: the split that decides, where the end lies inside an
    /// epoch, and the test split, where another one decides. No monitor hears of it.
    pub(super) fn close(&mut self) -> Result<(), TrainError> {
        if self.is_closed() {
            return Ok(());
        }
        let metrics_bytes = self.metrics.bytes();
        let mut closing = Closing { metrics_bytes, last: None, test: None };
        for (split, place) in
            [(self.split_of_last_step(), &mut closing.last), (self.split_never_seen(), &mut closing.test)]
        {
            let Some(split) = split else { continue };
            let Some(passes) = self.passes(split)? else {
                self.stop = true;
                return self.save_with_metrics(metrics_bytes);
            };
            if let Some(loss) = passes.loss_that_is_not_finite() {
                // A run that is longer goes on from here; it makes no such evaluation.
                self.save_with_metrics(metrics_bytes)?;
                return self.end_outside_step(format!("the loss on the {split} split"), loss);
            }
            *place = Some(passes.scores());
            self.tell_passes(passes)?;
        }
        self.state.progress.closing = Some(closing);
        self.save()
    }

    /// Whether nothing is left to do at the end of the run.
    pub(super) fn is_closed(&self) -> bool {
        let progress = &self.state.progress;
        let nothing_to_do = self.split_of_last_step().is_none() && self.split_never_seen().is_none();
        let is_done = nothing_to_do || progress.closing.is_some() || self.was_closed_by_an_older_version();
        !progress.evaluation_due && is_done
    }

    /// A version without [`Closing`] counted the evaluation at the end as any other; the summary that it wrote shows
    /// it. Such a version did not record a point of return either.
    fn was_closed_by_an_older_version(&self) -> bool {
        let progress = &self.state.progress;
        let is_of_older_version = progress.point_of_return.is_none();
        is_of_older_version
            && self.folder.summary().is_some_and(|summary| {
                let is_of_this_step = summary.steps == progress.position.step;
                is_of_this_step && summary.status == "completed" && summary.last == progress.last
            })
    }

    /// The split that decides, when the last step was not evaluated with its epoch.
    fn split_of_last_step(&self) -> Option<Split> {
        let is_inside_epoch = !self.state.progress.position.is_between_epochs();
        is_inside_epoch.then(|| self.plan.deciding_split())
    }

    /// The test split, when it decides nothing.
    fn split_never_seen(&self) -> Option<Split> {
        (self.plan.deciding_split() != Split::Test).then_some(Split::Test)
    }

    /// Evaluates the split that decides, again after each recovery until all losses are finite; nothing when an
    /// observer stopped it.
    fn finite_passes(&mut self) -> Result<Option<Passes>, TrainError> {
        let split = self.plan.deciding_split();
        loop {
            let Some(passes) = self.passes(split)? else { return Ok(None) };
            match passes.loss_that_is_not_finite() {
                None => return Ok(Some(passes)),
                Some(loss) => self.recover_outside_step(format!("the loss on the {split} split"), loss)?,
            }
        }
    }

    fn passes(&mut self, split: Split) -> Result<Option<Passes>, TrainError> {
        let Some(raw) = self.pass(split, WeightsKind::Raw)? else { return Ok(None) };
        if self.plan.config.trainer.ema.is_none() {
            return Ok(Some(Passes { raw, average: None }));
        }
        let average = self.pass(split, WeightsKind::Ema)?;
        Ok(average.map(|average| Passes { raw, average: Some(average) }))
    }

    fn pass(&mut self, split: Split, weights: WeightsKind) -> Result<Option<EvalRecord>, TrainError> {
        let begun = Instant::now();
        let total = self.plan.split(split)?.len();
        let mut told = Ok(Control::Continue);
        let observer = &mut *self.observer;
        let mut stop = |images| {
            told = observer::tell(observer, &Event::Evaluating { split, images, total });
            !matches!(told, Ok(Control::Continue))
        };
        let evaluation = self.state.evaluate_until(split, weights, &mut stop)?;
        told?;
        Ok(evaluation.map(|evaluation| EvalRecord {
            step: self.state.progress.position.step,
            epoch: self.state.progress.epoch_number(),
            split,
            weights,
            loss: evaluation.score.loss,
            accuracy: evaluation.score.accuracy,
            metrics: evaluation.metrics(&self.plan.config.trainer.metrics),
            images: evaluation.images(),
            seconds: begun.elapsed().as_secs_f64(),
        }))
    }

    fn tell_passes(&mut self, passes: Passes) -> Result<(), TrainError> {
        let Passes { raw, average } = passes;
        [Some(raw), average].into_iter().flatten().try_for_each(|record| self.tell(Event::Eval(record)))
    }
}
