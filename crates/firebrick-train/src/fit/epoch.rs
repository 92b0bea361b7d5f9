//! The loop: epochs of steps until the run is at its end or somebody says stop.

use std::time::Instant;

use firebrick_data::HostBatch;
use firebrick_models::ImageClassifier;

use super::run::Run;
use crate::error::TrainError;
use crate::event::{Event, StepRecord};
use crate::step::Verdict;

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
        let mut batches = self.state.batches();
        loop {
            let waiting_since = Instant::now();
            let Some(batches) = batches.next() else { return Ok(()) };
            self.step(batches?, waiting_since)?;
            let position = self.state.progress.position;
            if position.is_between_epochs() {
                self.check_weights()?;
                return self.evaluate_epoch();
            }
            if position.step == self.plan.total_steps {
                return self.check_weights();
            }
            if self.stop || self.is_due() {
                self.check_weights()?;
                self.save()?;
            }
            if self.stop {
                return Ok(());
            }
        }
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
