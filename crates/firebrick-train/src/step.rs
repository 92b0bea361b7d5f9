//! One training step: forward, loss, backward, finite check, clip, optimiser.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_data::HostBatch;
use firebrick_loss::{ClassifierLoss, LossError};
use firebrick_models::ImageClassifier;

use crate::clip::{clip_grad_norm, clip_grad_value, grad_norm};
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

/// A number that is not finite; the update was not applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFinite {
    /// Which number.
    pub what: &'static str,
    /// NaN or an infinity.
    pub value: f64,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The optimiser has moved the weights.
    Applied(StepReport),
    /// The weights are as they were.
    Refused(NotFinite),
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
/// The model comes back in any case: moved, or untouched when the loss or a gradient is not finite.
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
    loss: &ClassifierLoss,
    optimizer: &mut Optimizer,
    clipping: Clipping,
    rates: &dyn Rates,
) -> Result<(M, Verdict), LossError> {
    let Some(device) = model.devices().into_iter().next() else {
        return Ok((model, Verdict::Refused(NotFinite { what: "the number of devices", value: 0.0 })));
    };
    let labels = batch.labels.clone();
    let batch = batch.to_tensors(&device.clone().autodiff());

    let logits_nk = model.forward(batch.images_nchw);
    let loss = loss.forward_trusted(logits_nk.clone(), batch.labels_n)?;
    let mut gradients = loss.backward();
    let gradients = GradientsParams::from_module(&mut gradients, &model);

    let (gradients, norm) = match clipping.max_norm {
        Some(max_norm) => clip_grad_norm(&model, gradients, max_norm, 2.0),
        None => {
            let norm = grad_norm(&model, &gradients, 2.0);
            (gradients, norm)
        }
    };
    let norm = norm.unwrap_or_else(|| Tensor::zeros([1], &device.inner()));
    let (report, finite) = read_back(loss.inner(), norm, logits_nk.inner(), &labels);
    if let Some(not_finite) = finite {
        return Ok((model, Verdict::Refused(not_finite)));
    }
    let gradients = match clipping.max_value {
        Some(max_value) => clip_grad_value(&model, gradients, max_value),
        None => gradients,
    };
    Ok((optimizer.step_at(rates, model, gradients), Verdict::Applied(report)))
}

/// Reads loss `[1]`, norm `[1]` and logits `[N, K]` in one transfer.
fn read_back(
    loss: Tensor<1>,
    norm: Tensor<1>,
    logits_nk: Tensor<2>,
    labels: &[i64],
) -> (StepReport, Option<NotFinite>) {
    let all = Tensor::cat(vec![loss, norm, logits_nk.flatten(0, 1)], 0);
    let data = all.into_data().convert::<f32>();
    let values = data.as_slice::<f32>().unwrap_or_default();
    let [loss, grad_norm, logits @ ..] = values else {
        return (
            StepReport { loss: f64::NAN, correct: 0, grad_norm: f64::NAN },
            Some(NotFinite { what: "the loss", value: f64::NAN }),
        );
    };
    let report = StepReport {
        loss: f64::from(*loss),
        correct: count_correct(logits, labels, |_, _| {}),
        grad_norm: f64::from(*grad_norm),
    };
    (report, not_finite(&report))
}

fn not_finite(report: &StepReport) -> Option<NotFinite> {
    [("the loss", report.loss), ("the gradient norm", report.grad_norm)]
        .into_iter()
        .find(|(_, value)| !value.is_finite())
        .map(|(what, value)| NotFinite { what, value })
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
