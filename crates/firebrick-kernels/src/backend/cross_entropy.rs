//! Cross-entropy, forward and backward, on a CPU backend's tensors.

use std::sync::Arc;

use super::native_floats::{NativeFloats, dims};
use crate::cpu;
use crate::operation::{Classes, Total};

/// What the forward pass keeps for the backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    /// `[rows, classes]`
    probabilities: Arc<Vec<f32>>,
    of_rows: Arc<Vec<Option<usize>>>,
    num_classes: usize,
    /// What the sum of the rows' losses was divided by.
    divisor: f32,
}

/// The loss, `[1]`, and what the backward pass needs; the caller has checked shapes, type and classes.
pub(crate) fn forward<B: NativeFloats>(
    logits: B::FloatTensorPrimitive,
    classes: Classes,
) -> (B::FloatTensorPrimitive, Saved) {
    let [_, num_classes, ..] = dims::<B>(&logits);
    let Classes { of_rows, total } = classes;
    let divisor = match total {
        Total::Sum => 1.0,
        Total::Mean => of_rows.iter().flatten().count() as f32,
    };
    let logits = B::to_contiguous(logits);
    let found = cpu::cross_entropy(B::values(&logits), num_classes, &of_rows);
    let loss = B::from_values(vec![(found.sum / f64::from(divisor)) as f32], &[1]);
    let probabilities = Arc::new(found.probabilities);
    (loss, Saved { probabilities, of_rows: Arc::new(of_rows), num_classes, divisor })
}

/// The gradient of the logits, given that of the loss.
pub(crate) fn backward<B: NativeFloats>(
    saved: &Saved,
    gradient: B::FloatTensorPrimitive,
) -> B::FloatTensorPrimitive {
    let Saved { probabilities, of_rows, num_classes, divisor } = saved;
    let gradient = B::to_contiguous(gradient);
    let gradient = match B::values(&gradient) {
        [gradient] => gradient / divisor,
        several => unreachable!("bug: the gradient of a loss has {} values", several.len()),
    };
    let values = cpu::cross_entropy_gradient(probabilities, *num_classes, of_rows, gradient);
    B::from_values(values, &[of_rows.len(), *num_classes])
}
