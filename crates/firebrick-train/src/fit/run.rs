//! What a run is made of, and telling its observers.

use std::time::Instant;

use firebrick_models::ImageClassifier;
use firebrick_models::parameters::num_trained;

use crate::error::TrainError;
use crate::event::{Control, Event, Started};
use crate::metrics_file::MetricsFile;
use crate::observer::{self, Observer};
use crate::plan::Plan;
use crate::run_folder::RunFolder;
use crate::saver::Saver;
use crate::train_state::TrainState;

pub(super) struct Run<'a, M> {
    pub plan: &'a Plan,
    pub state: TrainState<'a, M>,
    pub folder: RunFolder,
    pub metrics: MetricsFile,
    pub observer: &'a mut dyn Observer,
    pub saver: Saver,
    /// When the last checkpoint was made.
    pub saved_at: Instant,
    /// An observer asked to stop.
    pub stop: bool,
    /// When this process began with the run.
    pub begun: Instant,
}

impl<'a, M: ImageClassifier> Run<'a, M> {
    pub(super) fn new(
        plan: &'a Plan,
        state: TrainState<'a, M>,
        folder: RunFolder,
        metrics: MetricsFile,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self {
            plan,
            state,
            saver: Saver::new(folder.checkpoints(), folder.lock()),
            folder,
            metrics,
            observer,
            saved_at: Instant::now(),
            stop: false,
            begun: Instant::now(),
        }
    }

    /// Writes an event to `metrics.jsonl`, if it belongs there, and tells the run's observer.
    pub(super) fn tell(&mut self, event: Event) -> Result<(), TrainError> {
        let observers: [&mut dyn Observer; 2] = [&mut self.metrics, &mut *self.observer];
        for observer in observers {
            if observer::tell(observer, &event)? == Control::Stop {
                self.stop = true;
            }
        }
        Ok(())
    }

    pub(super) fn tell_notices(&mut self, notices: Vec<String>) -> Result<(), TrainError> {
        notices.into_iter().try_for_each(|message| self.tell(Event::Notice { message }))
    }

    /// Says what the run is.
    pub(super) fn start(&mut self) -> Result<(), TrainError> {
        let (plan, config) = (self.plan, &self.plan.config);
        let resumed_from_step = self.state.progress.position.step;
        self.tell(Event::Started(Started {
            run_dir: self.folder.path().to_owned(),
            model: config.model.network.name().to_owned(),
            num_parameters: self.state.model().num_params(),
            num_trained: num_trained(self.state.model()),
            dataset: plan.datasets.info.name.clone(),
            num_train: plan.datasets.info.train_count,
            num_validation: plan.datasets.info.validation_count,
            num_test: plan.datasets.info.test_count,
            batch_size: config.data.batch_size,
            batches_per_step: config.trainer.accumulate_grad_batches,
            transforms: plan.datasets.info.steps.clone(),
            backend: plan.backend.name.to_string(),
            device: plan.backend.device_name.clone(),
            epochs: config.trainer.epochs,
            steps_per_epoch: plan.steps_per_epoch,
            total_steps: plan.total_steps,
            resumed_from_step,
        }))
    }
}
