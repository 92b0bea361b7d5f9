//! The loop: epochs of steps, evaluation, checkpoints, events, from a plan to a trained network.

use std::time::Instant;

use firebrick_data::{DataLoader, HostBatch, LoaderOptions};
use firebrick_models::ImageClassifier;

use crate::checkpoint::{self, Checkpoint, Position, State};
use crate::config::CheckpointEvery;
use crate::error::TrainError;
use crate::evaluate::{EvaluationOptions, evaluate};
use crate::event::{
    Best, CheckpointRecord, Control, EvalRecord, Event, Observer, Score, Started, StepRecord, Summary,
};
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::resume;
use crate::run_folder::{RunFolder, RunLocation};
use crate::schedule::{PlateauMetric, Schedule};
use crate::step::{Clipping, Verdict, train_step};
use crate::weights_hash::weights_sha256;

/// How a run ended, when it ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All steps are done.
    Completed,
    /// An observer asked to stop; a checkpoint holds everything to go on.
    Stopped,
}

/// A finished or stopped run.
#[derive(Debug, Clone)]
pub struct Outcome<M> {
    /// How it ended.
    pub status: Status,
    /// The network with its last weights, in validation mode.
    pub model: M,
    /// What `summary.json` says.
    pub summary: Summary,
    /// The run's folder.
    pub run_dir: std::path::PathBuf,
}

/// Trains `model` as `plan` says, writing the run folder and telling `observer` each event.
///
/// `model` may be any [`ImageClassifier`] whose input and classes are the plan's; the one that the
/// config names comes from `plan.config.model.network.init(seed, device)`.
///
/// # Errors
///
/// [`TrainError`]; [`TrainError::kind`] says which exit code it is. Checkpoints written before
/// the error stay good.
pub fn fit<M: ImageClassifier>(
    plan: &Plan,
    model: M,
    location: &RunLocation,
    observer: &mut dyn Observer,
) -> Result<Outcome<M>, TrainError> {
    let begin = resume::begin(plan, location)?;
    let mut run = Run::new(plan, begin.folder, observer)?;
    for message in begin.notices {
        run.tell(Event::Notice { message })?;
    }
    let model = run.restore(model.train(), begin.checkpoint.as_ref())?.train();
    run.start(&model)?;
    let model = run.train(model)?;
    run.finish(model)
}

/// Everything that changes while a run runs, but the model, which each step consumes.
struct Run<'a> {
    plan: &'a Plan,
    folder: RunFolder,
    observer: &'a mut dyn Observer,
    optimizer: Optimizer,
    schedule: Schedule,
    loader: DataLoader,
    clipping: Clipping,
    position: Position,
    best: Option<Best>,
    last: Option<Score>,
    images: u64,
    training_seconds: f64,
    stop: bool,
    begun: Instant,
    resumed_from_step: u64,
    /// A stop came during the evaluation that belongs to the current position.
    evaluation_due: bool,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, folder: RunFolder, observer: &'a mut dyn Observer) -> Result<Self, TrainError> {
        let config = &plan.config;
        Ok(Self {
            plan,
            folder,
            observer,
            optimizer: Optimizer::new(&config.optimizer)?,
            schedule: Schedule::new(
                &config.schedule,
                config.optimizer.lr(),
                plan.total_steps,
                plan.steps_per_epoch,
            )?,
            loader: DataLoader::new(
                plan.datasets.train.clone(),
                LoaderOptions {
                    batch_size: config.data.batch_size,
                    shuffle: config.data.shuffle,
                    seed: config.trainer.seed,
                    workers: config.data.workers,
                    drop_last: config.data.drop_last,
                },
            ),
            clipping: Clipping {
                max_norm: config.trainer.clip_grad_norm,
                max_value: config.trainer.clip_grad_value,
            },
            position: Position::default(),
            best: None,
            last: None,
            images: 0,
            training_seconds: 0.0,
            stop: false,
            begun: Instant::now(),
            resumed_from_step: 0,
            evaluation_due: false,
        })
    }

    fn tell(&mut self, event: Event) -> Result<(), TrainError> {
        self.folder.record(&event)?;
        if self.observer.on_event(&event) == Control::Stop {
            self.stop = true;
        }
        Ok(())
    }

    fn restore<M: ImageClassifier>(
        &mut self,
        model: M,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<M, TrainError> {
        self.optimizer.bind(&model)?;
        let Some(checkpoint) = checkpoint else {
            return Ok(model);
        };
        let state = &checkpoint.state;
        self.position = state.position;
        self.best = state.best.clone();
        self.last = state.last;
        self.images = state.images;
        self.training_seconds = state.training_seconds;
        self.resumed_from_step = state.position.step;
        self.evaluation_due = state.evaluation_due;
        self.schedule.load_state(state.schedule)?;
        let device = self.plan.backend.device.clone();
        checkpoint.load_optimizer(&mut self.optimizer, &device)?;
        checkpoint.load_model(model)
    }

    fn start<M: ImageClassifier>(&mut self, model: &M) -> Result<(), TrainError> {
        let (plan, config) = (self.plan, &self.plan.config);
        self.tell(Event::Started(Started {
            run_dir: self.folder.path().to_owned(),
            model: config.model.network.name().to_owned(),
            num_parameters: model.num_params(),
            dataset: plan.datasets.info.name.clone(),
            num_train: plan.datasets.info.train_count,
            num_test: plan.datasets.info.test_count,
            batch_size: config.data.batch_size,
            transforms: plan.datasets.info.steps.clone(),
            backend: plan.backend.name.to_string(),
            device: plan.backend.device_name.clone(),
            epochs: config.trainer.epochs,
            steps_per_epoch: plan.steps_per_epoch,
            total_steps: plan.total_steps,
            resumed_from_step: self.resumed_from_step,
        }))
    }

    fn train<M: ImageClassifier>(&mut self, mut model: M) -> Result<M, TrainError> {
        if self.evaluation_due {
            self.evaluate_and_save(&model)?;
        }
        while !self.stop && self.position.step < self.plan.total_steps {
            model = self.epoch(model)?;
        }
        Ok(model)
    }

    /// The rest of one epoch, up to the last step of the run or a stop.
    fn epoch<M: ImageClassifier>(&mut self, mut model: M) -> Result<M, TrainError> {
        let batches = self.loader.epoch(self.position.epoch, self.position.batch as usize);
        let mut waiting_since = Instant::now();
        for batch in batches {
            model = self.step(model, batch?, waiting_since)?;
            let ends_epoch = self.position.batch == 0;
            let ends_run = self.position.step == self.plan.total_steps;
            if ends_epoch || ends_run {
                self.evaluate_and_save(&model)?;
                return Ok(model);
            }
            if self.stop || self.is_due() {
                self.save(&model, false)?;
            }
            if self.stop {
                return Ok(model);
            }
            waiting_since = Instant::now();
        }
        Ok(model)
    }

    fn is_due(&self) -> bool {
        match self.plan.config.trainer.checkpoint_every {
            CheckpointEvery::Epoch => false,
            CheckpointEvery::Steps(steps) => self.position.step.is_multiple_of(steps),
        }
    }

    fn step<M: ImageClassifier>(
        &mut self,
        model: M,
        batch: HostBatch,
        since: Instant,
    ) -> Result<M, TrainError> {
        let lr = self.schedule.lr(self.position.step);
        let images = batch.labels.len();
        let samples: Vec<usize> = batch.sample_indices.iter().take(8).copied().collect();
        let (model, verdict) = train_step(
            model,
            batch,
            &self.plan.loss,
            &mut self.optimizer,
            self.clipping,
            &self.schedule.at(self.position.step),
        )?;
        let report = match verdict {
            Verdict::Applied(report) => report,
            Verdict::Refused(not_finite) => {
                return Err(TrainError::Diverged {
                    step: self.position.step + 1,
                    what: not_finite.what.to_owned(),
                    value: not_finite.value,
                    lr,
                    samples,
                });
            }
        };
        let seconds = since.elapsed().as_secs_f64();
        let epoch = self.position.epoch + 1;
        self.advance(images, seconds);
        self.tell(Event::Step(StepRecord {
            step: self.position.step,
            epoch,
            loss: report.loss,
            accuracy: report.correct as f64 / images.max(1) as f64,
            lr,
            grad_norm: report.grad_norm,
            images,
            images_per_second: images as f64 / seconds.max(f64::MIN_POSITIVE),
        }))?;
        Ok(model)
    }

    fn advance(&mut self, images: usize, seconds: f64) {
        self.images += images as u64;
        self.training_seconds += seconds;
        self.position.step += 1;
        self.position.batch += 1;
        if self.position.batch == self.plan.steps_per_epoch {
            self.position.epoch += 1;
            self.position.batch = 0;
        }
    }

    fn evaluate_and_save<M: ImageClassifier>(&mut self, model: &M) -> Result<(), TrainError> {
        let begun = Instant::now();
        let evaluation = {
            let (observer, total) = (&mut *self.observer, self.plan.datasets.info.test_count);
            let mut stop = |images| observer.on_event(&Event::Evaluating { images, total }) == Control::Stop;
            evaluate(
                &model.valid(),
                self.plan.datasets.test.clone(),
                &self.plan.loss,
                &self.plan.backend.device,
                EvaluationOptions {
                    batch_size: self.plan.config.data.batch_size,
                    workers: self.plan.config.data.workers,
                },
                &mut stop,
            )?
        };
        let Some(evaluation) = evaluation else {
            self.stop = true;
            self.evaluation_due = true;
            return self.save(model, false);
        };
        self.evaluation_due = false;
        let (step, epoch) = (self.position.step, self.epoch_number());
        let score = evaluation.score;
        self.last = Some(score);
        let is_best = self.best.as_ref().is_none_or(|best| score.accuracy > best.accuracy);
        if is_best {
            self.best = Some(Best { epoch, step, accuracy: score.accuracy });
        }
        match self.schedule.watches() {
            Some(PlateauMetric::Loss) => self.schedule.observe(score.loss),
            Some(PlateauMetric::Accuracy) => self.schedule.observe(score.accuracy),
            None => {}
        }
        self.tell(Event::Eval(EvalRecord {
            step,
            epoch,
            split: "test".to_owned(),
            loss: score.loss,
            accuracy: score.accuracy,
            images: evaluation.images,
            seconds: begun.elapsed().as_secs_f64(),
        }))?;
        self.save(model, is_best)
    }

    /// The epoch that is running, or the one just finished, counted from 1.
    fn epoch_number(&self) -> u64 {
        self.position.epoch + u64::from(self.position.batch > 0)
    }

    fn save<M: ImageClassifier>(&mut self, model: &M, is_best: bool) -> Result<(), TrainError> {
        self.folder.sync_metrics()?;
        let weights_sha256 = weights_sha256(&model.valid());
        let state = State {
            format_version: State::FORMAT_VERSION,
            position: self.position,
            best: self.best.clone(),
            last: self.last,
            evaluation_due: self.evaluation_due,
            metrics_bytes: self.folder.metrics_bytes(),
            images: self.images,
            training_seconds: self.training_seconds,
            schedule: self.schedule.state(),
            weights_sha256,
            config: self.plan.config.to_toml()?,
            dataset: self.plan.datasets.info.clone(),
            preprocess: self.plan.datasets.test.preprocess().clone(),
        };
        let path = checkpoint::save(
            &self.folder.checkpoints(),
            model,
            &self.optimizer,
            &state,
            is_best,
            self.plan.config.trainer.keep_last,
        )?;
        self.tell(Event::Checkpoint(CheckpointRecord { step: self.position.step, path, is_best }))
    }

    fn finish<M: ImageClassifier>(mut self, model: M) -> Result<Outcome<M>, TrainError> {
        let model = model.valid();
        let unfinished = self.position.step < self.plan.total_steps || self.evaluation_due;
        let status = if unfinished { Status::Stopped } else { Status::Completed };
        let summary = Summary {
            status: match status {
                Status::Completed => "completed",
                Status::Stopped => "stopped",
            }
            .to_owned(),
            steps: self.position.step,
            epochs: self.position.epoch,
            best: self.best.clone(),
            last: self.last,
            images_per_second: self.images as f64 / self.training_seconds.max(f64::MIN_POSITIVE),
            weights_sha256: weights_sha256(&model),
            seconds: self.begun.elapsed().as_secs_f64(),
        };
        self.folder.write_summary(&summary)?;
        self.tell(Event::Finished(summary.clone()))?;
        Ok(Outcome { status, model, summary, run_dir: self.folder.path().to_owned() })
    }
}
