//! The loop: epochs of steps, evaluation, checkpoints, events, from a plan to a trained network.

mod preflight;
mod recovery;
mod saving;

use std::time::Instant;

use firebrick_data::{DataLoader, HostBatch, LoaderOptions};
use firebrick_models::ImageClassifier;

use crate::checkpoint::Checkpoint;
use crate::ema::Ema;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, EvaluationOptions, evaluate};
use crate::event::{Control, EvalRecord, Event, Observer, Started, StepRecord, Summary, WeightsKind};
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::resume;
use crate::run_folder::{RunFolder, RunLocation};
use crate::run_progress::RunProgress;
use crate::saver::Saver;
use crate::schedule::{PlateauMetric, Schedule};
use crate::step::{Clipping, Verdict, accumulated_step};
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
    let model = run.preflight(model, begin.checkpoint.is_none())?;
    let model = run.train(model)?;
    run.finish(model)
}

/// Everything that changes while a run runs, but the model, which each step consumes.
struct Run<'a> {
    plan: &'a Plan,
    folder: RunFolder,
    observer: &'a mut dyn Observer,
    optimizer: Optimizer,
    ema: Option<Ema>,
    schedule: Schedule,
    loader: DataLoader,
    clipping: Clipping,
    progress: RunProgress,
    saver: Saver,
    saved_at: Instant,
    stop: bool,
    begun: Instant,
    resumed_from_step: u64,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, folder: RunFolder, observer: &'a mut dyn Observer) -> Result<Self, TrainError> {
        let config = &plan.config;
        Ok(Self {
            plan,
            observer,
            optimizer: Optimizer::new(&config.optimizer)?,
            ema: config.trainer.ema.as_ref().map(Ema::new).transpose()?,
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
            progress: RunProgress::default(),
            saver: Saver::new(folder.checkpoints()),
            saved_at: Instant::now(),
            folder,
            stop: false,
            begun: Instant::now(),
            resumed_from_step: 0,
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
        self.progress = checkpoint.state.progress.clone();
        self.resumed_from_step = self.progress.position.step;
        self.schedule.load_state(checkpoint.state.schedule.clone())?;
        self.restore_tensors(model, checkpoint)
    }

    /// Weights, optimiser and average as `checkpoint` has them.
    fn restore_tensors<M: ImageClassifier>(
        &mut self,
        model: M,
        checkpoint: &Checkpoint,
    ) -> Result<M, TrainError> {
        let device = &self.plan.backend.device;
        checkpoint.load_optimizer(&mut self.optimizer, device)?;
        if let Some(ema) = &mut self.ema {
            checkpoint.load_ema(ema, &model, device)?;
        }
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
            batches_per_step: config.trainer.accumulate_grad_batches,
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
        if self.progress.evaluation_due && !self.stop {
            model = self.evaluate_and_save(model)?;
        }
        while !self.stop && !self.is_finished() {
            model = self.epoch(model)?;
        }
        let saved = self.saver.wait()?;
        self.tell_saved(saved)?;
        Ok(model)
    }

    fn is_finished(&self) -> bool {
        let over = |config| self.progress.early_stopping.is_over(config);
        let all_steps = self.progress.position.step >= self.plan.total_steps;
        all_steps || self.plan.config.trainer.early_stopping.as_ref().is_some_and(over)
    }

    /// The rest of one epoch, up to the last step of the run or a stop.
    fn epoch<M: ImageClassifier>(&mut self, mut model: M) -> Result<M, TrainError> {
        let position = self.progress.position;
        let mut batches = self.loader.epoch(position.epoch, position.batch as usize);
        loop {
            let waiting_since = Instant::now();
            let accumulated = self.plan.config.trainer.accumulate_grad_batches;
            let group: Vec<HostBatch> = batches.by_ref().take(accumulated).collect::<Result<_, _>>()?;
            if group.is_empty() {
                return Ok(model);
            }
            model = self.step(model, group, waiting_since)?;
            let ends_epoch = self.progress.position.batch == 0;
            if ends_epoch || self.progress.position.step == self.plan.total_steps {
                model = self.with_finite_weights(model)?;
                return self.evaluate_and_save(model);
            }
            if self.stop || self.is_due() {
                model = self.with_finite_weights(model)?;
                self.save(&model)?;
            }
            if self.stop {
                return Ok(model);
            }
        }
    }

    fn step<M: ImageClassifier>(
        &mut self,
        model: M,
        batches: Vec<HostBatch>,
        since: Instant,
    ) -> Result<M, TrainError> {
        let saved = self.saver.poll()?;
        self.tell_saved(saved)?;
        let step = self.progress.position.step;
        let num_batches = batches.len() as u64;
        let samples: Vec<usize> = batches.iter().flat_map(|batch| batch.sample_indices.clone()).collect();
        self.plan.seed_device(step);
        let (model, verdict) = accumulated_step(
            model,
            batches,
            self.plan.loss.as_ref(),
            &mut self.optimizer,
            self.clipping,
            &self.schedule.at(step),
        )?;
        let epoch = self.progress.position.epoch + 1;
        let seconds = since.elapsed().as_secs_f64();
        let images = samples.len();
        self.progress.advance(num_batches, self.plan.batches_per_epoch, images, seconds);
        let report = match verdict {
            Verdict::Applied(report) => report,
            Verdict::Refused(refusal) => return self.recover(model, refusal, epoch, samples),
        };
        if let Some(ema) = &mut self.ema {
            ema.update(&model);
        }
        self.tell(Event::Step(StepRecord {
            step: step + 1,
            epoch,
            loss: report.loss,
            accuracy: report.correct as f64 / images.max(1) as f64,
            lr: self.schedule.lr(step),
            grad_norm: report.grad_norm,
            images,
            images_per_second: images as f64 / seconds.max(f64::MIN_POSITIVE),
        }))?;
        Ok(model)
    }

    fn evaluate_and_save<M: ImageClassifier>(&mut self, model: M) -> Result<M, TrainError> {
        let averaged = self.ema.as_ref().map(|ema| ema.averaged(&model));
        let raw = self.evaluate(&model.valid())?;
        let of_average = match (&raw, averaged) {
            (Some(_), Some(averaged)) => Some(self.evaluate(&averaged)?),
            _ => None,
        };
        let (Some((raw, seconds)), false) = (raw, matches!(of_average, Some(None))) else {
            self.stop = true;
            self.progress.evaluation_due = true;
            self.save(&model)?;
            return Ok(model);
        };
        let of_average = of_average.flatten();
        let losses = [Some(raw.score.loss), of_average.as_ref().map(|(average, _)| average.score.loss)];
        if let Some(loss) = losses.into_iter().flatten().find(|loss| !loss.is_finite()) {
            let model = self.recover_outside_step(model, "the loss on the test split".to_owned(), loss)?;
            return self.evaluate_and_save(model);
        }
        self.progress.evaluation_due = false;
        self.progress.score(raw.score, self.plan.config.trainer.keep_best);
        match self.schedule.watches() {
            Some(PlateauMetric::Loss) => self.schedule.observe(raw.score.loss),
            Some(PlateauMetric::Accuracy) => self.schedule.observe(raw.score.accuracy),
            None => {}
        }
        if let Some(config) = &self.plan.config.trainer.early_stopping {
            self.progress.early_stopping.observe(config, raw.score);
        }
        self.tell_evaluation(&raw, seconds, WeightsKind::Raw)?;
        if let Some((of_average, seconds)) = of_average {
            self.progress.last_ema = Some(of_average.score);
            self.tell_evaluation(&of_average, seconds, WeightsKind::Ema)?;
        }
        self.save(&model)?;
        Ok(model)
    }

    /// An evaluation and the seconds it took; nothing when it was stopped.
    fn evaluate<M: ImageClassifier>(&mut self, model: &M) -> Result<Option<(Evaluation, f64)>, TrainError> {
        let begun = Instant::now();
        let (observer, total) = (&mut *self.observer, self.plan.datasets.info.test_count);
        let mut stop = |images| observer.on_event(&Event::Evaluating { images, total }) == Control::Stop;
        let evaluation = evaluate(
            model,
            self.plan.datasets.test.clone(),
            self.plan.loss.as_ref(),
            &self.plan.backend.device,
            EvaluationOptions {
                batch_size: self.plan.config.data.batch_size,
                workers: self.plan.config.data.workers,
            },
            &mut stop,
        )?;
        Ok(evaluation.map(|evaluation| (evaluation, begun.elapsed().as_secs_f64())))
    }

    fn tell_evaluation(
        &mut self,
        evaluation: &Evaluation,
        seconds: f64,
        weights: WeightsKind,
    ) -> Result<(), TrainError> {
        self.tell(Event::Eval(EvalRecord {
            step: self.progress.position.step,
            epoch: self.progress.epoch_number(),
            split: "test".to_owned(),
            weights,
            loss: evaluation.score.loss,
            accuracy: evaluation.score.accuracy,
            images: evaluation.images,
            seconds,
        }))
    }

    fn finish<M: ImageClassifier>(mut self, model: M) -> Result<Outcome<M>, TrainError> {
        let finished = self.is_finished() && !self.progress.evaluation_due;
        let status = if finished { Status::Completed } else { Status::Stopped };
        let averaged = self.ema.as_ref().map(|ema| ema.averaged(&model));
        let (model, progress) = (model.valid(), &self.progress);
        let mut summary = Summary {
            status: match status {
                Status::Completed => "completed",
                Status::Stopped => "stopped",
            }
            .to_owned(),
            steps: progress.position.step,
            epochs: progress.position.epoch,
            best: progress.bests.first().cloned(),
            last: progress.last,
            ema: progress.last_ema,
            recoveries: progress.recoveries,
            images_per_second: progress.images as f64 / progress.training_seconds.max(f64::MIN_POSITIVE),
            weights_sha256: weights_sha256(&model),
            ema_sha256: averaged.as_ref().map(weights_sha256),
            seconds: self.begun.elapsed().as_secs_f64(),
        };
        // A run that was finished before keeps the summary of the process that finished it.
        match self.folder.summary() {
            Some(earlier) if earlier.is_same_end(&summary) => summary = earlier,
            _ => self.folder.write_summary(&summary)?,
        }
        self.tell(Event::Finished(summary.clone()))?;
        Ok(Outcome { status, model, summary, run_dir: self.folder.path().to_owned() })
    }
}
