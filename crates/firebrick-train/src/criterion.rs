//! Where batches meet the loss: the only file of this crate that knows what a loss wants and what it gives.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use firebrick_data::{Batch, HostBatch, HostTargets, Targets as BatchTargets};
use firebrick_loss::{ClassificationLoss, Counted, LossError, Reduction, Takes, Targets};

use crate::config::Config;
use crate::error::TrainError;
use crate::read_back::read_back;

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
    let value = read_back(value, "the loss of equal scores")?.iter::<f64>().next();
    Ok(value.filter(|loss| loss.is_finite() && *loss > 0.0))
}

/// Refuses labels that are none of `num_classes` classes, which some devices would take for an address.
///
/// # Errors
///
/// [`TrainError::Plan`].
pub(crate) fn check_labels(batch: &HostBatch, num_classes: usize) -> Result<(), TrainError> {
    let is_class = |label: &i64| usize::try_from(*label).is_ok_and(|label| label < num_classes);
    match batch.labels.iter().position(|label| !is_class(label)) {
        None => Ok(()),
        Some(place) => Err(TrainError::Plan(format!(
            "image {} of the batch: expected a label from 0 to {}, got {}",
            batch.sample_indices[place],
            num_classes - 1,
            batch.labels[place]
        ))),
    }
}

/// Moves a batch to `device`: its images `[n, c, h, w]`, and what they are compared with. The labels have been
/// [checked](check_labels).
pub(crate) fn to_device(batch: HostBatch, device: &Device) -> (Tensor<4>, Targets) {
    let Batch { images_nchw, targets } = batch.to_tensors(device);
    (images_nchw, of_loss(targets))
}

/// Moves what the outputs of a batch are compared with to `device`.
pub(crate) fn targets_to_device(batch: HostBatch, device: &Device) -> Targets {
    of_loss(batch.targets_to_tensors(device))
}

fn of_loss(targets: BatchTargets) -> Targets {
    match targets {
        BatchTargets::Classes(labels_n) => Targets::Classes(labels_n),
        BatchTargets::Probabilities(probabilities_nk) => Targets::Probabilities(probabilities_nk),
    }
}

/// How much each image of a batch counts.
pub(crate) fn weights(loss: &Criterion, batch: &HostBatch) -> Vec<f64> {
    match has_probabilities(batch) {
        true => vec![1.0; batch.len()],
        false => batch.labels.iter().map(|label| loss.weight(*label as usize)).collect(),
    }
}

fn has_probabilities(batch: &HostBatch) -> bool {
    matches!(batch.targets, HostTargets::Probabilities { .. })
}

fn counted(weights: &[f64]) -> Counted {
    Counted { weights: weights.iter().sum(), images: weights.len() }
}

/// How the batches of a step make one loss: that of one batch which holds them all.
pub(crate) struct StepLoss {
    parts: Vec<Part>,
    /// What the loss of the one batch divides by.
    divisor: f64,
}

/// A batch's part in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// The batch's own loss, which is the sum over its images divided by this number.
    Reduced(f64),
    /// The sum over the images, because the batch's own loss would divide by 0.
    Sum,
}

impl StepLoss {
    /// Of batches with at least one image each, whose labels have been checked.
    pub(crate) fn of(loss: &Criterion, batches: &[HostBatch]) -> Self {
        let each: Vec<Counted> = batches.iter().map(|batch| counted(&weights(loss, batch))).collect();
        // Where one batch has probabilities, the one batch that holds them all has.
        let all = match batches.iter().any(has_probabilities) {
            true => Counted::unweighted(batches.iter().map(HostBatch::len).sum()),
            false => each.iter().fold(Counted::default(), |all, batch| all.and(*batch)),
        };
        let is_alone = batches.len() == 1;
        let part = |batch: &Counted| match loss.divisor(*batch) {
            divisor if divisor != 0.0 || is_alone => Part::Reduced(divisor),
            _ => Part::Sum,
        };
        Self { parts: each.iter().map(part).collect(), divisor: loss.divisor(all) }
    }

    /// The loss of batch `index` as its backward pass takes it, `[1]`. Reads nothing back.
    pub(crate) fn of_batch(
        &self,
        index: usize,
        loss: &Criterion,
        logits_nk: Tensor<2>,
        targets: Targets,
    ) -> Result<Tensor<1>, LossError> {
        match self.parts[index] {
            Part::Reduced(_) => loss.forward(logits_nk, targets),
            Part::Sum => Ok(loss.per_image(logits_nk, targets)?.sum()),
        }
    }

    /// What the loss of batch `index` has been divided by.
    pub(crate) fn divisor_of(&self, index: usize) -> f64 {
        match self.parts[index] {
            Part::Reduced(divisor) => divisor,
            Part::Sum => 1.0,
        }
    }

    /// What the loss of the step divides by.
    pub(crate) fn divisor(&self) -> f64 {
        self.divisor
    }

    /// The step's loss, from those of its batches.
    pub(crate) fn total(&self, losses: &[f64]) -> f64 {
        match losses {
            [only] => *only,
            _ => {
                let share = |index| self.divisor_of(index) / self.divisor;
                losses.iter().enumerate().map(|(index, loss)| loss * share(index)).sum()
            }
        }
    }
}

/// Each image's part of the loss of a split, and how much it counts.
pub(crate) struct ImageLosses {
    pub losses: Vec<f64>,
    pub weights: Vec<f64>,
}

/// The parts of a batch's images, whose [weights] are given.
pub(crate) fn of_images(
    loss: &Criterion,
    logits_nk: Tensor<2>,
    targets: Targets,
    weights: Vec<f64>,
) -> Result<ImageLosses, TrainError> {
    let losses_n = loss.per_image(logits_nk, targets)?;
    Ok(ImageLosses { losses: read_back(losses_n, "the losses")?.iter::<f64>().collect(), weights })
}

/// Sums over the images of a split, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SplitSums {
    losses: f64,
    counted: Counted,
}

impl SplitSums {
    /// Adds a batch.
    pub(crate) fn add(&mut self, batch: &ImageLosses) {
        self.losses += batch.losses.iter().sum::<f64>();
        self.counted = self.counted.and(counted(&batch.weights));
    }

    /// Whether there are images and none of them counts: torch's criterion is NaN then.
    pub(crate) fn is_undefined(&self, loss: &Criterion) -> bool {
        self.counted.images > 0 && loss.divisor(self.counted) == 0.0
    }

    /// torch's criterion over the whole split.
    pub(crate) fn loss(&self, loss: &Criterion) -> f64 {
        self.losses / loss.divisor(self.counted)
    }
}
