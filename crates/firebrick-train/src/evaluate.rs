//! One pass over a split without gradients: loss and accuracy.

use std::sync::Arc;

use burn::tensor::Device;
use firebrick_data::{DataLoader, LoaderOptions, PreparedDataset};
use firebrick_loss::{ClassificationLoss, LossError, SplitSums};
use firebrick_models::ImageClassifier;

use crate::backend::scope;
use crate::error::TrainError;
use crate::event::Score;
use crate::step::{count_correct, loss_targets};

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The loss of the split, reduced as the config says, and the part classified right.
    pub score: Score,
    /// Samples seen.
    pub images: usize,
    /// `confusion[true][predicted]` counts samples.
    pub confusion: Vec<Vec<u64>>,
}

/// How a split is walked through.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationOptions {
    /// Samples in a batch.
    pub batch_size: usize,
    /// Loader threads.
    pub workers: usize,
}

/// Evaluates `model`, which must be in validation mode ([`burn::module::Module::valid`]), on a split.
///
/// `stop` is told after each batch how many samples are done; when it says yes the result is `None`.
///
/// # Errors
///
/// [`TrainError::Data`] when a sample cannot be read, [`TrainError::Loss`] when the loss refuses.
pub fn evaluate<M: ImageClassifier>(
    model: &M,
    split: Arc<PreparedDataset>,
    loss: &dyn ClassificationLoss,
    device: &Device,
    options: EvaluationOptions,
    stop: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Evaluation>, TrainError> {
    let num_classes = model.num_classes();
    let loader = DataLoader::new(
        split,
        LoaderOptions {
            batch_size: options.batch_size,
            shuffle: false,
            seed: 0,
            workers: options.workers,
            drop_last: false,
        },
    );
    let mut confusion = vec![vec![0; num_classes]; num_classes];
    let (mut sums, mut correct) = (SplitSums::default(), 0);
    for host_batch in loader.epoch(0, 0) {
        let host_batch = host_batch?;
        let labels = host_batch.labels.clone();
        let (losses, weights, logits) = scope(device, || -> Result<_, LossError> {
            let batch = host_batch.to_tensors(device);
            let logits_nk = model.forward(batch.images_nchw);
            let per_image = loss.per_image(logits_nk.clone(), loss_targets(batch.targets))?;
            let (losses, weights) = (per_image.losses_n.into_data(), per_image.weights_n.into_data());
            Ok((losses, weights, logits_nk.into_data().convert::<f32>()))
        })?;
        sums.losses += losses.iter::<f64>().sum::<f64>();
        sums.weights += weights.iter::<f64>().sum::<f64>();
        let logits = logits.as_slice::<f32>().unwrap_or_default();
        correct += count_correct(logits, &labels, |label, predicted| confusion[label][predicted] += 1);
        sums.images += labels.len();
        if stop(sums.images) {
            return Ok(None);
        }
    }
    let accuracy = correct as f64 / sums.images.max(1) as f64;
    Ok(Some(Evaluation {
        score: Score { loss: loss.over_split(sums), accuracy },
        images: sums.images,
        confusion,
    }))
}
