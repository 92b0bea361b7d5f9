//! One training step: forward, loss, backward, finite check, clip, optimiser.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_data::{HostBatch, Targets as BatchTargets};
use firebrick_loss::{ClassificationLoss, LossError, Targets};
use firebrick_models::{Buffers, ImageClassifier};

use crate::accumulate::Accumulator;
use crate::backend::scope;
use crate::clip::{clip_grad_value, grad_norm, scale_to_norm};
use crate::norms::{ParameterNorms, parameter_norms};
use crate::optimizer::{Optimizer, Rates};

/// What a step measured, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The loss of the batch.
    pub loss: f64,
    /// Samples of the batch classified right.
    pub correct: usize,
    /// Global L2 norm of the gradients, before clipping.
    pub grad_norm: f64,
}

/// Why a step was not taken: a number that is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which number: the loss, the gradient norm, a weight.
    pub what: String,
    /// NaN or an infinity.
    pub value: f64,
    /// What the step measured.
    pub report: StepReport,
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

/// Takes one optimiser step on `batch` with the learning rate that `rates` says.
///
/// The model comes back in any case: moved, or untouched, running statistics included, when the loss or
/// a gradient is not finite.
/// Loss, gradient norm and logits are read back from the device together, once a step.
///
/// # Shapes
///
/// - `batch`: images `[N, C, H, W]` as the model wants them, labels `[N]` below its class count
///
/// # Errors
///
/// [`LossError`] when the loss refuses its input; a checked [`crate::Plan`] rules that out.
pub fn train_step<M: ImageClassifier>(
    model: M,
    batch: HostBatch,
    loss: &dyn ClassificationLoss,
    optimizer: &mut Optimizer,
    clipping: Clipping,
    rates: &dyn Rates,
) -> Result<(M, Verdict), LossError> {
    accumulated_step(model, vec![batch], loss, optimizer, clipping, rates)
}

/// As [`train_step`], with the gradients averaged over several batches, each counting with its number
/// of samples: with a loss that averages, the step of one batch that holds them all.
///
/// # Errors
///
/// As [`train_step`].
pub fn accumulated_step<M: ImageClassifier>(
    model: M,
    batches: Vec<HostBatch>,
    loss: &dyn ClassificationLoss,
    optimizer: &mut Optimizer,
    clipping: Clipping,
    rates: &dyn Rates,
) -> Result<(M, Verdict), LossError> {
    let device = model.devices().into_iter().next().unwrap_or_default();
    scope(&device, || step_here(model, batches, loss, optimizer, clipping, rates))
}

/// [`accumulated_step`] on this thread.
fn step_here<M: ImageClassifier>(
    model: M,
    batches: Vec<HostBatch>,
    loss: &dyn ClassificationLoss,
    optimizer: &mut Optimizer,
    clipping: Clipping,
    rates: &dyn Rates,
) -> Result<(M, Verdict), LossError> {
    let buffers = Buffers::of(&model);
    let mut accumulator = Accumulator::new();
    let mut passes = Vec::with_capacity(batches.len());
    for batch in batches {
        let pass = Pass::run(&model, batch, loss, &mut accumulator)?;
        passes.push(pass);
    }
    let gradients = accumulator.take(&model);
    let norm = grad_norm(&model, &gradients, 2.0);
    let report = read_back(passes, norm.clone());
    if let Some((what, value)) = report.not_finite() {
        let parameters = parameter_norms(&model, &gradients);
        let refusal = Refusal { what: what.to_owned(), value, report, parameters };
        return Ok((buffers.put_back(model), Verdict::Refused(refusal.blame_weights())));
    }
    let gradients = match (clipping.max_norm, norm) {
        (Some(max_norm), Some(norm)) => scale_to_norm(&model, gradients, norm, max_norm),
        _ => gradients,
    };
    let gradients = match clipping.max_value {
        Some(max_value) => clip_grad_value(&model, gradients, max_value),
        None => gradients,
    };
    Ok((optimizer.step_at(rates, model, gradients), Verdict::Applied(report)))
}

/// What one batch's forward pass left on the device.
struct Pass {
    /// `[1]`
    loss: Tensor<1>,
    /// `[N, K]`
    logits_nk: Tensor<2>,
    /// `N` labels.
    labels: Vec<i64>,
}

impl Pass {
    fn run<M: ImageClassifier>(
        model: &M,
        batch: HostBatch,
        loss: &dyn ClassificationLoss,
        accumulator: &mut Accumulator,
    ) -> Result<Self, LossError> {
        let device = model.devices().into_iter().next().unwrap_or_default();
        let labels = batch.labels.clone();
        let batch = batch.to_tensors(&device.autodiff());
        let logits_nk = model.forward(batch.images_nchw);
        let loss = loss.forward(logits_nk.clone(), loss_targets(batch.targets))?;
        let mut gradients = loss.backward();
        accumulator.add(model, GradientsParams::from_module(&mut gradients, model), labels.len());
        Ok(Self { loss: loss.inner(), logits_nk: logits_nk.inner(), labels })
    }
}

/// What a batch is compared with, as the losses take it.
pub(crate) fn loss_targets(targets: BatchTargets) -> Targets {
    match targets {
        BatchTargets::Classes(labels_n) => Targets::Classes(labels_n),
        BatchTargets::Probabilities(probabilities_nk) => Targets::Probabilities(probabilities_nk),
    }
}

/// Reads every loss `[1]`, the norm `[1]` and all logits `[N, K]` in one transfer.
fn read_back(passes: Vec<Pass>, norm: Option<Tensor<1>>) -> StepReport {
    let mut parts: Vec<Tensor<1>> = norm.into_iter().collect();
    let num_norms = parts.len();
    let mut labels = Vec::with_capacity(passes.len());
    for pass in passes {
        parts.push(pass.loss);
        parts.push(pass.logits_nk.flatten(0, 1));
        labels.push(pass.labels);
    }
    let lengths: Vec<usize> = parts.iter().map(|part| part.dims()[0]).collect();
    let data = Tensor::cat(parts, 0).into_data().convert::<f32>();
    let mut values = data.as_slice::<f32>().unwrap_or_default();
    let mut next = lengths.into_iter().map(|length| {
        let (part, rest) = values.split_at(length.min(values.len()));
        values = rest;
        part
    });
    let first =
        |part: Option<&[f32]>| part.and_then(|part| part.first()).map_or(f64::NAN, |value| f64::from(*value));
    let grad_norm = if num_norms == 0 { 0.0 } else { first(next.next()) };
    let images: usize = labels.iter().map(Vec::len).sum();
    let (mut loss, mut correct) = (0.0, 0);
    for labels in &labels {
        // The share of a single batch is 1, which leaves its loss as it is, to the last bit.
        loss += first(next.next()) * (labels.len() as f64 / images as f64);
        correct += count_correct(next.next().unwrap_or_default(), labels, |_, _| {});
    }
    StepReport { loss, correct, grad_norm }
}

impl StepReport {
    fn not_finite(&self) -> Option<(&'static str, f64)> {
        [("the loss", self.loss), ("the gradient norm", self.grad_norm)]
            .into_iter()
            .find(|(_, value)| !value.is_finite())
    }
}

impl Refusal {
    /// A number that was found not to be finite outside a step.
    pub(crate) fn outside_step<M: ImageClassifier>(model: &M, what: String, value: f64) -> Self {
        Self {
            what,
            value,
            report: StepReport { loss: f64::NAN, correct: 0, grad_norm: f64::NAN },
            parameters: parameter_norms(model, &GradientsParams::new()),
        }
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

/// Counts rows of `logits` (`[N, K]`, row by row) whose largest element, the first among equals as
/// torch's `argmax` has it, is the label's; `each` hears every (label, prediction).
pub(crate) fn count_correct(logits: &[f32], labels: &[i64], mut each: impl FnMut(usize, usize)) -> usize {
    if labels.is_empty() {
        return 0;
    }
    let num_classes = logits.len() / labels.len();
    let rows = logits.chunks_exact(num_classes.max(1));
    let mut correct = 0;
    for (row, label) in rows.zip(labels) {
        let label = usize::try_from(*label).unwrap_or(usize::MAX);
        let predicted = arg_max(row);
        correct += usize::from(predicted == label);
        each(label, predicted);
    }
    correct
}

/// Position of the largest element, the first among equals; NaN counts as largest, as in torch.
pub(crate) fn arg_max(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in row.iter().enumerate().skip(1) {
        if *value > row[best] || (value.is_nan() && !row[best].is_nan()) {
            best = index;
        }
    }
    best
}
