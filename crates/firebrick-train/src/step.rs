//! One training step: forward, loss, backward, finite check, clip, optimiser.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_data::HostBatch;
use firebrick_loss::Targets;
use firebrick_models::{Activations, Buffers, ImageClassifier};

use crate::accumulate::Accumulator;
use crate::backend::Backend;
use crate::clip::{clip_grad_value, grad_norm, scale_to_norm};
use crate::criterion::{self, Criterion, StepLoss};
use crate::error::TrainError;
use crate::frozen_layers::{FrozenLayers, Images, Labelled};
use crate::norms::{ParameterNorms, parameter_norms};
use crate::optimizer::{Optimizer, Rates};
use crate::read_back::{DeviceError, f32_values, read_back_f32};
use crate::softmax::arg_max;

/// What a step measured, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The loss of the step's images: of one batch that holds them all.
    pub loss: f64,
    /// What the sum of the images' losses was divided by: their weights, 1 for a sum.
    pub divisor: f64,
    /// Samples of the step.
    pub images: usize,
    /// Those of them that were classified right.
    pub correct: usize,
    /// Global L2 norm of the gradients, before clipping; 0 when the loss depends on no parameter.
    pub grad_norm: f64,
}

/// Why a step was not taken: a number that is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which number: the loss, the gradient norm, a weight.
    pub what: String,
    /// NaN or an infinity.
    pub value: f64,
    /// What the step measured; absent when the number was found outside a step.
    pub report: Option<StepReport>,
    /// Norms of every parameter, in the model's order.
    pub parameters: Vec<ParameterNorms>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The optimiser has moved the weights.
    Applied(StepReport),
    /// The weights are as they were.
    Refused(Refusal),
}

/// How gradients are limited before the update.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Clipping {
    /// Largest global L2 norm.
    pub max_norm: Option<f64>,
    /// Largest absolute element, applied after the norm.
    pub max_value: Option<f64>,
}

/// What is the same in every step of a run.
#[derive(Clone, Copy)]
pub struct StepRules<'a> {
    /// Where the network is.
    pub backend: &'a Backend,
    /// What is minimised.
    pub loss: &'a Criterion,
    /// How gradients are limited.
    pub clipping: Clipping,
}

impl StepRules<'_> {
    /// Takes one optimiser step with the learning rate that `rates` says, on the gradients of `batches`: those of one
    /// batch that holds them all, whatever the loss, its reduction and its weights. Batch normalisation alone sees
    /// each batch by itself.
    ///
    /// The model comes back moved, or untouched, running statistics included, when the loss or a gradient is
    /// not finite. Loss, gradient norm and logits are read back from the device together, once a step.
    ///
    /// # Shapes
    ///
    /// - `batches`: images `[n, c, h, w]` as the model wants them, labels `[n]` below its class count
    ///
    /// # Errors
    ///
    /// [`TrainError::Plan`] for batches without an image and for labels out of range; [`TrainError::Loss`] when
    /// the loss refuses its input, which a checked [`crate::Plan`] rules out; [`TrainError::Device`].
    pub fn step<M: ImageClassifier>(
        self,
        model: M,
        batches: Vec<HostBatch>,
        optimizer: &mut Optimizer,
        rates: &dyn Rates,
    ) -> Result<(M, Verdict), TrainError> {
        self.backend.scope(|| {
            let measured = self.measure(&model, batches, None)?;
            measured.apply(model, self.clipping, optimizer, rates)
        })
    }

    /// The first half of a step, which can fail: everything up to the gradients, on this thread. What `frozen` layers give is
    /// taken from there where it is known, and kept there.
    pub(crate) fn measure<M: ImageClassifier>(
        self,
        model: &M,
        batches: Vec<HostBatch>,
        frozen: Option<&FrozenLayers>,
    ) -> Result<Measured, TrainError> {
        let batches: Vec<HostBatch> = batches.into_iter().filter(|batch| !batch.is_empty()).collect();
        if batches.is_empty() {
            return Err(TrainError::Plan("a step: expected at least one image, got none".to_owned()));
        }
        batches.iter().try_for_each(|batch| criterion::check_labels(batch, model.num_classes()))?;
        let step_loss = StepLoss::of(self.loss, &batches);
        let buffers = Buffers::of(model);
        let mut accumulator = Accumulator::new();
        let mut passes = Vec::with_capacity(batches.len());
        for (index, batch) in batches.into_iter().enumerate() {
            let (pass, gradients) = self.pass(model, batch, frozen, (index, &step_loss))?;
            accumulator.add(model, gradients, step_loss.divisor_of(index));
            passes.push(pass);
        }
        let gradients = accumulator.take(model, step_loss.divisor());
        let norm = grad_norm(model, &gradients, 2.0);
        let report = read_report(passes, norm.clone(), &step_loss)?;
        Ok(Measured { buffers, gradients, norm, report })
    }

    /// Forward and backward of one batch.
    fn pass<M: ImageClassifier>(
        self,
        model: &M,
        batch: HostBatch,
        frozen: Option<&FrozenLayers>,
        (index, step_loss): (usize, &StepLoss),
    ) -> Result<(Pass, GradientsParams), TrainError> {
        let labels = batch.labels.clone();
        let (logits_nk, targets) = self.logits(model, batch, frozen);
        let loss = step_loss.of_batch(index, self.loss, logits_nk.clone(), targets)?;
        let mut gradients = loss.backward();
        let gradients = GradientsParams::from_module(&mut gradients, model);
        Ok((Pass { loss: loss.inner(), logits_nk: logits_nk.inner(), labels }, gradients))
    }
}

impl StepRules<'_> {
    /// The network's outputs for a batch, and what they are compared with. Frozen layers in front run without autodiff.
    fn logits<M: ImageClassifier>(
        self,
        model: &M,
        batch: HostBatch,
        frozen: Option<&FrozenLayers>,
    ) -> (Tensor<2>, Targets) {
        let device = self.backend.device.clone().autodiff();
        let prefix = model.network().and_then(|network| Some((network, network.frozen_prefix()?)));
        let Some((network, prefix)) = prefix else {
            let (images_nchw, targets) = criterion::to_device(batch, &device);
            return (model.forward(images_nchw), targets);
        };
        let known = frozen.and_then(|layers| layers.known(Images::Training, &batch, &self.backend.device));
        if let Some(outputs) = known {
            let targets = criterion::targets_to_device(batch, &device);
            return (network.forward_behind(prefix, with_autodiff(outputs)), targets);
        }
        let labelled = Labelled::of(&batch);
        let (images_nchw, targets) = criterion::to_device(batch, &device);
        let outputs = match frozen {
            Some(layers) => layers.forward(network, images_nchw),
            None => network.forward_prefix(prefix, images_nchw),
        };
        if let Some(layers) = frozen {
            layers.keep(Images::Training, &labelled, &outputs);
        }
        (network.forward_behind(prefix, with_autodiff(outputs)), targets)
    }
}

fn with_autodiff(outputs: Activations) -> Activations {
    match outputs {
        Activations::Images(images_nchw) => Tensor::from_inner(images_nchw).into(),
        Activations::Features(features_nk) => Tensor::from_inner(features_nk).into(),
    }
}

/// A step before its update.
pub(crate) struct Measured {
    buffers: Buffers,
    gradients: GradientsParams,
    /// `[1]`; nothing without gradients.
    norm: Option<Tensor<1>>,
    report: StepReport,
}

impl Measured {
    /// What is not finite, if anything is: then the step must not be applied.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] if the norms that a refusal lists cannot be read.
    pub(crate) fn refusal<M: ImageClassifier>(&self, model: &M) -> Result<Option<Refusal>, DeviceError> {
        let Some((what, value)) = self.report.not_finite() else { return Ok(None) };
        let parameters = parameter_norms(model, &self.gradients)?;
        let what = match self.report.divisor == 0.0 {
            true => "the loss of a step in which no image counts (loss.ignore_index, loss.weight)",
            false => what,
        };
        let refusal = Refusal { what: what.to_owned(), value, report: Some(self.report), parameters };
        Ok(Some(refusal.blame_weights()))
    }

    /// The model as it was before the step's forward passes.
    pub(crate) fn undo<M: ImageClassifier>(self, model: M) -> M {
        self.buffers.put_back(model)
    }

    /// The model after the update.
    pub(crate) fn update<M: ImageClassifier>(
        self,
        model: M,
        clipping: Clipping,
        optimizer: &mut Optimizer,
        rates: &dyn Rates,
    ) -> M {
        let gradients = match (clipping.max_norm, self.norm) {
            (Some(max_norm), Some(norm)) => scale_to_norm(&model, self.gradients, norm, max_norm),
            (Some(_), None) | (None, _) => self.gradients,
        };
        let gradients = match clipping.max_value {
            Some(max_value) => clip_grad_value(&model, gradients, max_value),
            None => gradients,
        };
        optimizer.step_at(rates, model, gradients)
    }

    pub(crate) fn report(&self) -> StepReport {
        self.report
    }

    fn apply<M: ImageClassifier>(
        self,
        model: M,
        clipping: Clipping,
        optimizer: &mut Optimizer,
        rates: &dyn Rates,
    ) -> Result<(M, Verdict), TrainError> {
        let report = self.report;
        Ok(match self.refusal(&model)? {
            Some(refusal) => (self.undo(model), Verdict::Refused(refusal)),
            None => (self.update(model, clipping, optimizer, rates), Verdict::Applied(report)),
        })
    }
}

/// What one batch's forward pass left on the device.
struct Pass {
    /// `[1]`
    loss: Tensor<1>,
    /// `[n, k]`
    logits_nk: Tensor<2>,
    /// `n` labels.
    labels: Vec<i64>,
}

/// Reads every loss `[1]`, the norm `[1]` and all logits `[n, k]` in one transfer.
fn read_report(
    passes: Vec<Pass>,
    norm: Option<Tensor<1>>,
    step_loss: &StepLoss,
) -> Result<StepReport, DeviceError> {
    let has_norm = norm.is_some();
    let mut parts: Vec<Tensor<1>> = norm.into_iter().collect();
    let mut batches = Vec::with_capacity(passes.len());
    for pass in passes {
        let [_, num_classes] = pass.logits_nk.dims();
        parts.push(pass.loss);
        parts.push(pass.logits_nk.flatten(0, 1));
        batches.push((pass.labels, num_classes));
    }
    let data =
        read_back_f32(Tensor::cat(parts, 0), "the loss, the gradient norm and the logits of the step")?;
    let mut values = Values(f32_values(&data));
    let grad_norm = if has_norm { values.number() } else { 0.0 };
    let images: usize = batches.iter().map(|(labels, _)| labels.len()).sum();
    let (mut losses, mut correct) = (Vec::with_capacity(batches.len()), 0);
    for (labels, num_classes) in &batches {
        losses.push(values.number());
        correct += count_correct(values.take(labels.len() * num_classes), labels, *num_classes);
    }
    Ok(StepReport {
        loss: step_loss.total(&losses),
        divisor: step_loss.divisor(),
        images,
        correct,
        grad_norm,
    })
}

/// What was read back and not yet looked at.
struct Values<'a>(&'a [f32]);

impl<'a> Values<'a> {
    fn take(&mut self, count: usize) -> &'a [f32] {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            unreachable!("bug: {count} numbers were to be read back, {} have come", self.0.len());
        };
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> f64 {
        f64::from(self.take(1)[0])
    }
}

/// Counts rows of `logits` (`[n, k]`, row by row) whose largest element is the label's.
fn count_correct(logits: &[f32], labels: &[i64], num_classes: usize) -> usize {
    let rows = logits.chunks_exact(num_classes);
    rows.zip(labels).filter(|(row, label)| arg_max(row) as i64 == **label).count()
}

impl StepReport {
    /// The part of the samples that was classified right.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }

    fn not_finite(&self) -> Option<(&'static str, f64)> {
        [("the loss", self.loss), ("the gradient norm", self.grad_norm)]
            .into_iter()
            .find(|(_, value)| !value.is_finite())
    }
}

impl Refusal {
    /// A number that was found not to be finite outside a step.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] if the weights' norms cannot be read.
    pub(crate) fn outside_step<M: ImageClassifier>(
        model: &M,
        what: String,
        value: f64,
    ) -> Result<Self, DeviceError> {
        let parameters = parameter_norms(model, &GradientsParams::new())?;
        Ok(Self { what, value, report: None, parameters })
    }

    /// Names the weight when it is one that is not finite: then no batch can help.
    fn blame_weights(mut self) -> Self {
        if let Some(broken) = self.parameters.iter().find(|parameter| !parameter.weight.is_finite()) {
            self.what = format!("the norm of weight {}", broken.name);
            self.value = broken.weight;
        }
        self
    }

    /// Whether the weights themselves are still good, so that another batch may be.
    pub fn weights_are_finite(&self) -> bool {
        self.parameters.iter().all(|parameter| parameter.weight.is_finite())
    }
}
