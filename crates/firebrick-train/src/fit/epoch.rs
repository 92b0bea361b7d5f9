//! The loop: epochs of steps until the run is at its end or somebody says stop.

use std::time::Instant;

use firebrick_data::HostBatch;
use firebrick_models::ImageClassifier;

use super::run::Run;
use crate::error::TrainError;
use crate::event::{Event, StepRecord};
use crate::step::Verdict;
use crate::told;

impl<M: ImageClassifier> Run<'_, M> {
    /// Trains to the end of the run or to a stop.
    pub(super) fn train(&mut self) -> Result<(), TrainError> {
        self.evaluate_what_is_due()?;
        while !self.stop && !self.state.is_finished() {
            self.epoch()?;
        }
        if self.state.is_finished() && !self.state.progress.evaluation_due {
            self.close()?;
        }
        self.wait_for_saver()
    }

    /// Makes up for the evaluation that an earlier process was stopped in.
    fn evaluate_what_is_due(&mut self) -> Result<(), TrainError> {
        let progress = &mut self.state.progress;
        if !progress.evaluation_due || self.stop {
            return Ok(());
        }
        if progress.position.is_between_epochs() {
            return self.evaluate_epoch();
        }
        // That of the end of a run, from before such evaluations belonged to `close`.
        progress.evaluation_due = false;
        Ok(())
    }

    /// The rest of one epoch, up to the last step of the run or a stop.
    fn epoch(&mut self) -> Result<(), TrainError> {
        let mut batches = self.state.batches_to_step();
        loop {
            let waiting_since = Instant::now();
            let Some(batches) = batches.next() else { return Ok(()) };
            self.step(batches?, waiting_since)?;
            let position = self.state.progress.position;
            if position.is_between_epochs() {
                self.check_weights()?;
                return self.evaluate_epoch();
            }
            let is_last = position.step == self.plan.total_steps;
            if self.is_due_by_position() {
                self.check_weights()?;
                // The end of the run saves once more.
                if !is_last {
                    self.save()?;
                }
            } else if is_last {
                self.end_if_weights_are_broken()?;
            } else if (self.stop || self.is_due_by_time()) && !self.save_if_weights_are_good()? {
                // A run that nobody stops takes the next step now, and finds out by it: so does this one.
                continue;
            }
            if is_last || self.stop {
                return Ok(());
            }
        }
    }

    /// Saves where nothing but a stop or the time asks for it. No number may change there, so weights that are not
    /// finite are left as they are, and not saved. Says whether they were good.
    fn save_if_weights_are_good(&mut self) -> Result<bool, TrainError> {
        let is_good = self.broken_weight().is_none();
        if is_good {
            self.save()?;
        }
        Ok(is_good)
    }

    /// One step, its events and its time, loading included.
    fn step(&mut self, batches: Vec<HostBatch>, since: Instant) -> Result<(), TrainError> {
        self.poll_saver()?;
        let step = self.state.progress.position.step;
        let epoch = self.state.progress.position.epoch + 1;
        let samples: Vec<usize> = batches.iter().flat_map(|batch| batch.sample_indices.clone()).collect();
        let verdict = self.state.step(batches)?;
        let seconds = since.elapsed().as_secs_f64();
        self.state.progress.training_seconds += seconds;
        let report = match verdict {
            Verdict::Applied(report) => report,
            Verdict::Refused(refusal) => return self.recover(refusal, epoch, samples),
        };
        if step == 0 {
            self.tell_notices(
                told::of_first_loss(self.plan.untrained_loss, report.loss).into_iter().collect(),
            )?;
        }
        self.tell(Event::Step(StepRecord {
            step: step + 1,
            epoch,
            loss: report.loss,
            divisor: report.divisor,
            accuracy: report.accuracy(),
            lr: self.state.lr(step),
            grad_norm: report.grad_norm,
            images: report.images,
            images_per_second: report.images as f64 / seconds.max(f64::MIN_POSITIVE),
        }))
    }
}
