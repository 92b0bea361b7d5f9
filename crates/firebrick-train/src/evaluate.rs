//! One pass over a split without gradients: a record of every image, and what they add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use firebrick_data::{DataError, DataLoader, HostBatch, LoaderOptions, PreparedDataset};
use firebrick_loss::Targets;
use firebrick_models::ImageClassifier;

use crate::backend::Backend;
use crate::criterion::{self, Criterion, ImageLosses, SplitSums};
use crate::error::TrainError;
use crate::event::Score;
use crate::frozen_layers::{FrozenLayers, Images, Labelled};
use crate::image_record::ImageRecord;
use crate::metric::{self, MetricConfig};
use crate::read_back::{f32_values, read_back_f32};
use crate::softmax::Probabilities;

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The loss over the split, and the part of it that was classified right.
    pub score: Score,
    /// Every image of the split, in its order.
    pub records: Vec<ImageRecord>,
    /// Classes that the network tells apart.
    pub num_classes: usize,
}

impl Evaluation {
    /// Samples seen.
    pub fn images(&self) -> usize {
        self.records.len()
    }

    /// `counts[true][predicted]` counts samples.
    pub fn confusion(&self) -> Vec<Vec<u64>> {
        metric::confusion(&self.records, self.num_classes)
    }

    /// The metrics of `list` by label, beside the accuracy; one that is not finite is left out.
    pub fn metrics(&self, list: &[MetricConfig]) -> BTreeMap<String, f64> {
        metric::compute(list, &self.records, self.num_classes)
    }
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
/// [`TrainError::Data`] when a sample cannot be read, [`TrainError::Plan`] when one has a label that the model
/// does not know or when no image of the split counts in the loss, [`TrainError::Loss`] when the loss refuses, [`TrainError::Device`].
pub fn evaluate<M: ImageClassifier>(
    model: &M,
    split: Arc<PreparedDataset>,
    loss: &Criterion,
    backend: &Backend,
    options: EvaluationOptions,
    stop: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Evaluation>, TrainError> {
    evaluate_with(model, split, loss, backend, options, None, stop)
}

/// As [`evaluate`]; what `frozen` layers give for these images is taken from there where it is known, and kept there.
pub(crate) fn evaluate_with<M: ImageClassifier>(
    model: &M,
    split: Arc<PreparedDataset>,
    loss: &Criterion,
    backend: &Backend,
    options: EvaluationOptions,
    frozen: Option<(&FrozenLayers, Images)>,
    stop: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Evaluation>, TrainError> {
    let mut records = Vec::with_capacity(split.len());
    let mut sums = SplitSums::default();
    for batch in batches(split, options, frozen) {
        let (batch, sums) = (batch?, &mut sums);
        let of_batch = backend.scope(|| records_of(model, batch, loss, backend, frozen, sums))?;
        records.extend(of_batch);
        if stop(records.len()) {
            return Ok(None);
        }
    }
    if sums.is_undefined(loss) {
        return Err(TrainError::Plan(format!(
            "none of the {} images of the split counts in the loss: all are of classes that loss.ignore_index or a \
             loss.weight of 0 leaves out, so that the loss has no value",
            records.len()
        )));
    }
    let correct = records.iter().filter(|record| record.is_correct()).count();
    let accuracy = correct as f64 / records.len().max(1) as f64;
    let score = Score { loss: sums.loss(loss), accuracy };
    Ok(Some(Evaluation { score, records, num_classes: model.num_classes() }))
}

fn in_order(split: Arc<PreparedDataset>, options: EvaluationOptions) -> DataLoader {
    let EvaluationOptions { batch_size, workers } = options;
    DataLoader::new(split, LoaderOptions { batch_size, shuffle: false, seed: 0, workers, drop_last: false })
}

/// The batches of a split in its order; without pixels where nobody needs them.
fn batches(
    split: Arc<PreparedDataset>,
    options: EvaluationOptions,
    frozen: Option<(&FrozenLayers, Images)>,
) -> Box<dyn Iterator<Item = Result<HostBatch, DataError>>> {
    let input = split.preprocess().input;
    let indices: Vec<usize> = (0..split.len()).collect();
    let known = frozen.and_then(|(layers, images)| {
        let shape = [input.channels, input.height, input.width];
        let chunks = indices.chunks(options.batch_size.max(1));
        chunks.map(|chunk| layers.batch(images, chunk, shape)).collect::<Option<Vec<HostBatch>>>()
    });
    match known {
        Some(batches) => Box::new(batches.into_iter().map(Ok)),
        None => Box::new(in_order(split, options).epoch(0, 0)),
    }
}

/// The network's outputs for a batch, and what they are compared with.
fn logits<M: ImageClassifier>(
    model: &M,
    batch: HostBatch,
    device: &Device,
    frozen: Option<(&FrozenLayers, Images)>,
) -> (Tensor<2>, Targets) {
    let (Some((layers, images)), Some(network)) = (frozen, model.network()) else {
        let (images_nchw, targets) = criterion::to_device(batch, device);
        return (model.forward(images_nchw), targets);
    };
    if let Some(outputs) = layers.known(images, &batch, device) {
        let targets = criterion::targets_to_device(batch, device);
        return (network.forward_behind(layers.prefix, outputs), targets);
    }
    let labelled = Labelled::of(&batch);
    let (images_nchw, targets) = criterion::to_device(batch, device);
    let outputs = layers.forward(network, images_nchw);
    layers.keep(images, &labelled, &outputs);
    (network.forward_behind(layers.prefix, outputs), targets)
}

/// A batch's images, evaluated on this thread.
fn records_of<M: ImageClassifier>(
    model: &M,
    batch: HostBatch,
    loss: &Criterion,
    backend: &Backend,
    frozen: Option<(&FrozenLayers, Images)>,
    sums: &mut SplitSums,
) -> Result<Vec<ImageRecord>, TrainError> {
    let num_classes = model.num_classes();
    let (indices, labels) = (batch.sample_indices.clone(), batch.labels.clone());
    criterion::check_labels(&batch, num_classes)?;
    let weights = criterion::weights(loss, &batch);
    let (logits_nk, targets) = logits(model, batch, &backend.device, frozen);
    let of_images = criterion::of_images(loss, logits_nk.clone(), targets, weights)?;
    sums.add(&of_images);
    let logits = read_back_f32(logits_nk, "the logits")?;
    let ImageLosses { losses, weights } = of_images;
    let rows = f32_values(&logits).chunks_exact(num_classes);
    let images = indices.into_iter().zip(labels).zip(rows).zip(losses.into_iter().zip(weights));
    Ok(images
        .map(|(((index, label), scores), (loss, weight))| {
            // `check_labels` has checked that the label is a class.
            let probabilities = Probabilities::of(scores, model.gives_probabilities());
            ImageRecord::new(index, label as usize, scores, &probabilities, [loss, weight])
        })
        .collect())
}
