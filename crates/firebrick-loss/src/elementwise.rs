//! What the losses of an input and a target of the same shape share: how they are computed from arrays of any
//! rank, and how they train a classifier.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::Tensor;

use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::reduction::Reduction;
use crate::session::ranks::with_rank;
use crate::session::{Evaluation, Session};
use crate::targets::Targets;

/// A loss of each element of an input and a target of the same shape.
pub(crate) trait Elementwise: Debug + Send + Sync + 'static {
    /// The name in a config file.
    const NAME: &'static str;

    fn reduction(&self) -> Reduction;

    /// The loss of each element. Reads nothing back from the device.
    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError>;

    /// As [`losses`](Self::losses), but may read the device back to refuse values.
    fn checked_losses<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        self.losses(input, target)
    }

    /// A classifier's targets as the loss wants them, `[n, k]`: probabilities, unless it says otherwise.
    fn class_targets(&self, targets: Targets, outputs_nk: &Tensor<2>) -> Result<Tensor<2>, LossError> {
        targets.into_probabilities(Self::NAME, outputs_nk)
    }
}

/// Computes an elementwise loss from the arrays `input` and `target`.
pub(crate) fn evaluate<L: Elementwise>(loss: &L, mut session: Session<'_>) -> Result<Evaluation, LossError> {
    with_rank!(session, "input", D => {
        let shape = session.shape("input");
        let input: Tensor<D> = session.float("input", "input")?;
        let target: Tensor<D> = session.float("target", "input")?;
        let losses = loss.checked_losses(input, target)?;
        match loss.reduction() {
            Reduction::None => session.finish(losses, shape),
            reduction => session.finish(reduction.reduce(L::NAME, losses)?, Vec::new()),
        }
    })
}

/// An elementwise loss that trains a classifier: over all classes of all images.
pub(crate) fn of_classes(loss: impl Elementwise) -> Arc<dyn ClassificationLoss> {
    Arc::new(OfClasses(loss))
}

#[derive(Debug)]
struct OfClasses<L>(L);

impl<L: Elementwise> OfClasses<L> {
    fn losses_nk(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<2>, LossError> {
        let targets_nk = self.0.class_targets(targets, &outputs_nk)?;
        self.0.losses(outputs_nk, targets_nk)
    }
}

impl<L: Elementwise> ClassificationLoss for OfClasses<L> {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        let losses_nk = self.losses_nk(outputs_nk, targets)?;
        self.0.reduction().reduce(L::NAME, losses_nk)
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        let losses_nk = self.losses_nk(outputs_nk, targets)?;
        self.0.reduction().reduce_images(L::NAME, losses_nk)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(self.0.reduction())
    }
}
