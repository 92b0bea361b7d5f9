//! What a training step changes, and so what a checkpoint holds: network, optimiser, average, schedule, progress.
//!
//! [`fit`](crate::fit()) arranges saving, recovery and observers around it; [`replay`](crate::replay) and a loop
//! of your own (`examples/minimal_loop.rs`) use it bare.

use std::path::Path;

use firebrick_data::HostBatch;
use firebrick_models::ImageClassifier;
use firebrick_storage::create_folders;

use crate::checkpoint::{Checkpoint, Retention, Snapshot, State};
use crate::config::{Config, OnDivergence};
use crate::ema::Ema;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, EvaluationOptions, evaluate_with};
use crate::event::{CheckpointRecord, Split, SplitScores, WeightsKind};
use crate::fine_tuning;
use crate::freeze::Freeze;
use crate::frozen_layers::{FrozenLayers, Images};
use crate::monitor;
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::run_progress::RunProgress;
use crate::schedule::Schedule;
use crate::step::Verdict;
use crate::step_batches::StepBatches;

/// A network in training by a plan.
pub struct TrainState<'a, M> {
    plan: &'a Plan,
    /// What checkpoints record: the plan's config, with the weights that the run has begun with.
    config: Config,
    /// Absent only while the optimiser has it.
    model: Option<M>,
    pub(crate) optimizer: Optimizer,
    pub(crate) ema: Option<Ema>,
    pub(crate) schedule: Schedule,
    pub(crate) progress: RunProgress,
    freeze: Freeze,
    /// Whether parameters are frozen as things stand; that follows from the epoch alone.
    is_frozen: bool,
    /// The frozen layers in front of the first trained one.
    frozen_layers: Option<FrozenLayers>,
}

impl<'a, M: ImageClassifier> TrainState<'a, M> {
    /// The beginning of a run. `model` may be any network whose input and classes are the plan's; the one that
    /// the config names is [`Plan::initial_model`].
    ///
    /// # Errors
    ///
    /// [`TrainError::Plan`] when the network does not fit the plan; [`TrainError::Config`] when it does not give what the
    /// loss takes, or when a group of parameters or a pattern of `model.freeze` matches none of the network's.
    pub fn new(plan: &'a Plan, model: M) -> Result<Self, TrainError> {
        plan.check_model(&model)?;
        let config = &plan.config;
        let freeze = Freeze::of(config, &model)?;
        let model = freeze.apply(model.train(), 0);
        let optimizer = bound(plan, &model)?;
        let frozen_layers = frozen_layers(plan, &freeze, &model);
        Ok(Self {
            is_frozen: freeze.holds_in(0),
            freeze,
            frozen_layers,
            plan,
            config: config.clone(),
            model: Some(model),
            optimizer,
            ema: config.trainer.ema.as_ref().map(Ema::new).transpose()?,
            schedule: plan.schedule()?,
            progress: RunProgress::default(),
        })
    }

    /// Goes on where `checkpoint` was made.
    ///
    /// # Errors
    ///
    /// [`TrainError::Checkpoint`], [`TrainError::Optimizer`], [`TrainError::Ema`] or [`TrainError::Schedule`]
    /// when it is another run's.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.restore_tensors(checkpoint)?;
        // What is kept may be another network's.
        self.frozen_layers = frozen_layers(self.plan, &self.freeze, held(&self.model));
        self.config = checkpoint.recorded_config(&self.plan.config)?;
        self.schedule.load_state(checkpoint.state.schedule.clone())?;
        self.progress = checkpoint.state.progress.clone();
        self.thaw_if_due()
    }

    /// Weights, optimiser and average as `checkpoint` of the same run has them, at the position that the state has. What frozen
    /// layers give is as it was, and batches that were made for it can still be taken.
    ///
    /// # Errors
    ///
    /// As [`Self::restore`].
    pub(crate) fn go_back_to(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.restore_tensors(checkpoint)?;
        self.thaw_if_due()
    }

    /// Weights, optimiser and average as `checkpoint` has them, frozen as they were there; the position stays.
    fn restore_tensors(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        let device = &self.plan.backend.device;
        let epoch = checkpoint.state.progress.position.epoch;
        let model = self.freeze.apply(held(&self.model).clone(), epoch);
        let mut optimizer = bound(self.plan, &model)?;
        checkpoint.load_optimizer(&mut optimizer, device)?;
        if let Some(ema) = &mut self.ema {
            checkpoint.load_ema(ema, &model, device)?;
        }
        let model = self.freeze.apply(checkpoint.load_model(model)?.train(), epoch);
        self.model = Some(model);
        self.optimizer = optimizer;
        self.is_frozen = self.freeze.holds_in(epoch);
        Ok(())
    }

    /// From the epoch on that `model.freeze` names, everything is trained. What is thawed begins without momentum, and with
    /// itself as its average.
    fn thaw_if_due(&mut self) -> Result<(), TrainError> {
        let epoch = self.progress.position.epoch;
        if !self.is_frozen || self.freeze.holds_in(epoch) {
            return Ok(());
        }
        let model = self.freeze.apply(taken(&mut self.model), epoch);
        let bound = self.optimizer.bind_network(&model);
        if let Some(ema) = &mut self.ema {
            ema.thaw(&model);
        }
        (self.model, self.is_frozen, self.frozen_layers) = (Some(model), false, None);
        bound.map_err(|error| self.plan.placed(error))
    }

    /// The steps that are left of the epoch that the state stands in, all of them when it stands between two.
    pub fn batches(&self) -> StepBatches {
        let position = self.progress.position;
        self.plan.training_batches(position.epoch, position.batch)
    }

    /// As [`Self::batches`], but without pixels where [`Self::step`] needs none.
    pub(crate) fn batches_to_step(&self) -> StepBatches {
        let position = self.progress.position;
        let known = self
            .frozen_layers
            .as_ref()
            .and_then(|layers| self.plan.known_batches(layers, position.epoch, position.batch));
        known.unwrap_or_else(|| self.batches())
    }

    /// Takes one optimiser step. A step whose loss or gradients are not finite changes nothing but the position:
    /// the next batches follow.
    ///
    /// # Shapes
    ///
    /// - `batches`: images `[n, c, h, w]` as the network wants them, labels `[n]` below its class count; the
    ///   gradients of several batches are those of one batch that holds them all
    ///
    /// # Errors
    ///
    /// Those of [`StepRules::step`](crate::step::StepRules::step); then nothing has changed.
    pub fn step(&mut self, batches: Vec<HostBatch>) -> Result<Verdict, TrainError> {
        let step = self.progress.position.step;
        let (num_batches, num_images) = (batches.len() as u64, batches.iter().map(HostBatch::len).sum());
        self.plan.seed_device(step);
        let (model, optimizer, rates) = (&mut self.model, &mut self.optimizer, self.schedule.at(step));
        let (rules, frozen) = (self.plan.step_rules(), self.frozen_layers.as_ref());
        let verdict = self.plan.backend.scope(|| -> Result<Verdict, TrainError> {
            let measured = rules.measure(held(model), batches, frozen)?;
            let (report, refusal) = (measured.report(), measured.refusal(held(model))?);
            let taken = taken(model);
            let (moved, verdict) = match refusal {
                Some(refusal) => (measured.undo(taken), Verdict::Refused(refusal)),
                None => (measured.update(taken, rules.clipping, optimizer, &rates), Verdict::Applied(report)),
            };
            *model = Some(moved);
            Ok(verdict)
        })?;
        self.progress.advance(num_batches, self.plan.batches_per_epoch, num_images);
        if let (Verdict::Applied(_), Some(ema)) = (&verdict, &mut self.ema) {
            ema.update(held(&self.model));
        }
        self.thaw_if_due()?;
        Ok(verdict)
    }

    /// Evaluates the weights on a split.
    ///
    /// # Errors
    ///
    /// [`TrainError::Plan`] when there is no such split, otherwise those of [`evaluate`](crate::evaluate::evaluate()).
    pub fn evaluate(&self, split: Split) -> Result<Evaluation, TrainError> {
        let evaluation = self.evaluate_until(split, WeightsKind::Raw, &mut |_| false)?;
        Ok(evaluation.unwrap_or_else(|| unreachable!("bug: an evaluation stopped that nobody stopped")))
    }

    /// Evaluates the weights, or their average, on a split; nothing comes of it when `stop`, which is told after each
    /// batch how many samples are done, says yes.
    ///
    /// # Errors
    ///
    /// As [`Self::evaluate`], and [`TrainError::Plan`] when the average is asked for and the run keeps none.
    pub fn evaluate_until(
        &self,
        split: Split,
        weights: WeightsKind,
        stop: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Evaluation>, TrainError> {
        let dataset = self.plan.split(split)?.clone();
        let model = match weights {
            WeightsKind::Raw => self.trained(),
            WeightsKind::Ema => self.averaged().ok_or_else(|| {
                TrainError::Plan("expected a run with trainer.ema to evaluate its average".to_owned())
            })?,
        };
        let data = &self.plan.config.data;
        let options = EvaluationOptions { batch_size: data.batch_size, workers: data.workers };
        let frozen = self.frozen_layers.as_ref().map(|layers| (layers, Images::Of(split)));
        evaluate_with(&model, dataset, &self.plan.loss, &self.plan.backend, options, frozen, stop)
    }

    /// Takes the evaluation of an epoch that has just ended into account: for the best checkpoint, early
    /// stopping and a schedule that waits for a plateau.
    pub fn hear(&mut self, scores: &SplitScores) {
        self.progress.note(scores);
        monitor::hear(&self.plan.config.trainer, scores.score(), &mut self.progress, &mut self.schedule);
    }

    /// Whether no step is left to take: all are done, or early stopping says so.
    pub fn is_finished(&self) -> bool {
        monitor::is_finished(&self.plan.config.trainer, self.plan.total_steps, &self.progress)
    }

    /// Finished steps of the best evaluation.
    pub(crate) fn best_step(&self) -> Option<u64> {
        self.progress.bests.first().map(|best| best.step)
    }

    /// What a checkpoint holds, copied off the device.
    ///
    /// # Errors
    ///
    /// See [`Snapshot::take`].
    pub(crate) fn snapshot(&self, metrics_bytes: u64) -> Result<Snapshot, TrainError> {
        let state = State {
            format_version: State::FORMAT_VERSION,
            progress: self.progress.clone(),
            metrics_bytes,
            schedule: self.schedule.state(),
            weights_sha256: String::new(), // the writer computes it, beside training
            config: self.config.to_toml()?,
            dataset: self.plan.datasets.info.clone(),
            preprocess: self.plan.datasets.test.preprocess().clone(),
        };
        Snapshot::take(self.model(), &self.optimizer, self.ema.as_ref(), state)
    }

    /// Which checkpoints stay when one of this state is written.
    pub(crate) fn retention(&self) -> Retention {
        let trainer = &self.plan.config.trainer;
        let goes_back = trainer.on_divergence == OnDivergence::RestoreLast;
        Retention {
            keep_last: trainer.keep_last,
            best_steps: self.progress.bests.iter().map(|best| best.step).collect(),
            point_of_return: self.progress.point_of_return.filter(|_| goes_back),
        }
    }

    /// Writes a checkpoint `step-...` into the folder `checkpoints`, which is made if need be, and removes those that
    /// `trainer.keep_last` and `keep_best` do not keep. [`Checkpoint::read`] and [`Self::restore`] go on from it.
    ///
    /// # Errors
    ///
    /// [`TrainError::Storage`] or [`TrainError::Checkpoint`]; every earlier checkpoint is then as it was.
    pub fn save(&self, checkpoints: &Path) -> Result<CheckpointRecord, TrainError> {
        create_folders(checkpoints)?;
        self.snapshot(0)?.write(checkpoints, &self.retention())
    }

    /// What a run that begins says of frozen parameters and of learning rates by depth.
    pub(crate) fn notices(&self) -> Vec<String> {
        fine_tuning::notices(&self.plan.config, self.model(), &self.optimizer, self.frozen_layers.as_ref())
    }

    /// The network in training mode.
    pub fn model(&self) -> &M {
        held(&self.model)
    }

    /// A copy of the network in validation mode.
    pub fn trained(&self) -> M {
        self.model().valid()
    }

    /// A copy of the network in validation mode with the averaged weights; absent without `trainer.ema`.
    pub fn averaged(&self) -> Option<M> {
        self.ema.as_ref().map(|ema| ema.averaged(self.model()))
    }

    /// The learning rate of the step after `finished_steps`.
    pub fn lr(&self, finished_steps: u64) -> f64 {
        self.schedule.lr(finished_steps)
    }

    /// How far the run is.
    pub fn progress(&self) -> &RunProgress {
        &self.progress
    }
}

/// The frozen layers in front of the first trained one, if there are any; their outputs are kept where that can pay.
fn frozen_layers<M: ImageClassifier>(plan: &Plan, freeze: &Freeze, model: &M) -> Option<FrozenLayers> {
    let config = &plan.config;
    // With a single epoch nothing is asked for twice.
    let may_keep = freeze.num_epochs(config.trainer.epochs) > 1;
    let kept = config.model.freeze.as_ref().filter(|_| may_keep).map_or(0, |freeze| freeze.cache_mb);
    FrozenLayers::new(&plan.backend, &plan.datasets, model, config.data.batch_size, kept)
}

/// An optimiser that knows the network's trained parameters and remembers nothing of them.
fn bound<M: ImageClassifier>(plan: &Plan, model: &M) -> Result<Optimizer, TrainError> {
    let mut optimizer = Optimizer::new(&plan.config.optimizer)?;
    optimizer.bind_network(model).map_err(|error| plan.placed(error))?;
    Ok(optimizer)
}

/// The model, which is there but while the optimiser has it.
fn held<M>(model: &Option<M>) -> &M {
    model.as_ref().unwrap_or_else(|| unreachable!("bug: the network is still with the optimiser"))
}

fn taken<M>(model: &mut Option<M>) -> M {
    model.take().unwrap_or_else(|| unreachable!("bug: the network is still with the optimiser"))
}
