//! Where batches meet the loss: the only file of this crate that knows what a loss wants and what it gives.

use burn::tensor::{Device, Int, Tensor};
use firebrick_data::{Batch, HostBatch};
use firebrick_loss::{ClassifierLoss, LossError};

use crate::config::Config;
use crate::error::TrainError;
use crate::read_back::{DeviceError, read_back};

/// A loss on logits `[n, k]` and the targets of a batch.
pub type Criterion = ClassifierLoss;

/// What the images of a batch are compared with.
type Targets = Tensor<1, Int>;

/// The loss of `[loss]`, tried once on a sample of the right shape: what depends on the class count, such as
/// the length of `weight`, is found here and not inside a step.
pub(crate) fn checked(config: &Config, device: &Device) -> Result<Criterion, LossError> {
    let loss = config.loss.classifier()?;
    let logits_nk = Tensor::<2>::zeros([1, config.model.network.num_classes()], device);
    let labels_n = Tensor::<1, Int>::zeros([1], device);
    loss.forward_trusted(logits_nk, labels_n)?;
    Ok(loss)
}

/// Moves a batch to `device`: its images `[n, c, h, w]`, and what they are compared with.
///
/// # Errors
///
/// [`TrainError::Plan`] for a label that is none of `num_classes` classes, which some devices would take for an
/// address.
pub(crate) fn to_device(
    batch: HostBatch,
    num_classes: usize,
    device: &Device,
) -> Result<(Tensor<4>, Targets), TrainError> {
    let is_class = |label: &i64| usize::try_from(*label).is_ok_and(|label| label < num_classes);
    if let Some(place) = batch.labels.iter().position(|label| !is_class(label)) {
        return Err(TrainError::Plan(format!(
            "image {} of the batch: expected a label from 0 to {}, got {}",
            batch.sample_indices[place],
            num_classes - 1,
            batch.labels[place]
        )));
    }
    let Batch { images_nchw, labels_n } = batch.to_tensors(device);
    Ok((images_nchw, labels_n))
}

/// The loss of a training batch, `[1]`. Reads nothing back.
pub(crate) fn of_batch(
    loss: &Criterion,
    logits_nk: Tensor<2>,
    targets: Targets,
) -> Result<Tensor<1>, LossError> {
    loss.forward_trusted(logits_nk, targets)
}

/// Each image's part of the loss of a split, and the weight of that part.
pub(crate) struct ImageLosses {
    pub losses: Vec<f64>,
    pub weights: Vec<f64>,
}

/// The parts of a batch's images.
pub(crate) fn of_images(
    loss: &Criterion,
    logits_nk: Tensor<2>,
    targets: Targets,
) -> Result<ImageLosses, TrainError> {
    let losses_n = loss.forward_unreduced(logits_nk, targets)?;
    let losses: Vec<f64> = read("the losses", losses_n)?;
    Ok(ImageLosses { weights: vec![1.0; losses.len()], losses })
}

fn read(what: &str, tensor_n: Tensor<1>) -> Result<Vec<f64>, DeviceError> {
    Ok(read_back(tensor_n, what)?.iter::<f64>().collect())
}

/// Sums over the images of a split, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SplitSums {
    losses: f64,
    images: usize,
}

impl SplitSums {
    /// Adds a batch.
    pub(crate) fn add(&mut self, batch: &ImageLosses) {
        self.losses += batch.losses.iter().sum::<f64>();
        self.images += batch.losses.len();
    }

    /// The loss over the split; 0 for a split without images.
    pub(crate) fn loss(&self, _loss: &Criterion) -> f64 {
        self.losses / self.images.max(1) as f64
    }
}
