//! Where batches meet the loss: the only file of this crate that knows what a loss wants and what it gives.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use firebrick_data::{Batch, HostBatch, Targets as BatchTargets};
use firebrick_loss::{ClassificationLoss, LossError, Reduction, SplitSums as LossSums, Takes, Targets};

use crate::config::Config;
use crate::error::TrainError;
use crate::read_back::{DeviceError, read_back};

/// A loss on the network's outputs `[n, k]` and the targets of a batch.
pub type Criterion = Arc<dyn ClassificationLoss>;

/// The loss of `[loss]`, tried once on a sample of the right shape, and with probabilities where batches will have
/// them: what the loss refuses is found here and not inside a step.
///
/// # Errors
///
/// [`TrainError::Loss`] when the loss cannot train this network; [`TrainError::Config`] when it takes class indices
/// alone and an entry of `data.batch_augment` makes probabilities of them.
pub(crate) fn checked(config: &Config, device: &Device) -> Result<Criterion, TrainError> {
    let num_classes = config.model.network.num_classes();
    let loss = config.loss.for_classes(num_classes)?;
    let outputs_nk = Tensor::<2>::zeros([1, num_classes], device);
    let labels_n = Tensor::<1, Int>::zeros([1], device);
    loss.forward(outputs_nk.clone(), Targets::Classes(labels_n))?;
    let steps = &config.data.batch_augment;
    let Some(place) = steps.iter().position(|step| step.gives_probabilities()) else { return Ok(loss) };
    let even_nk = Tensor::full([1, num_classes], 1.0 / num_classes as f64, device);
    match loss.forward(outputs_nk, Targets::Probabilities(even_nk)) {
        Ok(_) => Ok(loss),
        Err(LossError::SoftTargets { loss }) => {
            let message = format!(
                "data.batch_augment[{place}]: `{}` makes probabilities of the labels, and the loss `{loss}` takes class \
                 indices alone; leave it out, or use a loss that takes probabilities, such as `cross_entropy`",
                steps[place].name()
            );
            Err(config.refused_at(&format!("data.batch_augment[{place}]"), message).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The loss of a network that has learnt nothing and gives every class the same score. None for a loss of other numbers
/// than scores, and for a sum, which grows with the batch.
///
/// # Errors
///
/// [`TrainError::Device`].
pub(crate) fn untrained(
    config: &Config,
    loss: &Criterion,
    device: &Device,
) -> Result<Option<f64>, TrainError> {
    if config.loss.takes() != Takes::Scores || config.loss.reduction() != Reduction::Mean {
        return Ok(None);
    }
    let num_classes = config.model.network.num_classes();
    let labels_n = Tensor::<1, Int>::zeros([1], device);
    let value = loss.forward(Tensor::zeros([1, num_classes], device), Targets::Classes(labels_n))?;
    Ok(read("the loss of equal scores", value)?
        .first()
        .copied()
        .filter(|loss| loss.is_finite() && *loss > 0.0))
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
    let Batch { images_nchw, targets } = batch.to_tensors(device);
    let targets = match targets {
        BatchTargets::Classes(labels_n) => Targets::Classes(labels_n),
        BatchTargets::Probabilities(probabilities_nk) => Targets::Probabilities(probabilities_nk),
    };
    Ok((images_nchw, targets))
}

/// The loss of a training batch, `[1]`. Reads nothing back.
pub(crate) fn of_batch(
    loss: &Criterion,
    logits_nk: Tensor<2>,
    targets: Targets,
) -> Result<Tensor<1>, LossError> {
    loss.forward(logits_nk, targets)
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
    let images = loss.per_image(logits_nk, targets)?;
    Ok(ImageLosses {
        losses: read("the losses", images.losses_n)?,
        weights: read("the weights of the losses", images.weights_n)?,
    })
}

fn read(what: &str, tensor_n: Tensor<1>) -> Result<Vec<f64>, DeviceError> {
    Ok(read_back(tensor_n, what)?.iter::<f64>().collect())
}

/// Sums over the images of a split, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SplitSums {
    losses: f64,
    weights: f64,
    images: usize,
}

impl SplitSums {
    /// Adds a batch.
    pub(crate) fn add(&mut self, batch: &ImageLosses) {
        self.losses += batch.losses.iter().sum::<f64>();
        self.weights += batch.weights.iter().sum::<f64>();
        self.images += batch.losses.len();
    }

    /// torch's criterion over the whole split.
    pub(crate) fn loss(&self, loss: &Criterion) -> f64 {
        let Self { losses, weights, images } = *self;
        loss.over_split(LossSums { losses, weights, images })
    }
}
