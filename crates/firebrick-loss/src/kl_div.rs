//! Kullback-Leibler divergence: `torch.nn.KLDivLoss`. Ours: Burn's clamps targets to 1, reduces by
//! `batchmean` unless told otherwise, and has no `none`.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Session};
use crate::{check, elementwise};

const NAME: &str = "kl_div";

/// Arguments of [`KlDivLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KlDivLossConfig {
    /// Whether the target holds log-probabilities too. Default false.
    pub log_target: bool,
    /// How the elements' losses become one number; here also `batchmean`, which is the divergence
    /// of a batch as mathematics has it. Default `mean`, torch's.
    pub reduction: Reduction,
}

impl Component for KlDivLossConfig {}

impl Loss for KlDivLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.KLDivLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        Takes::LogProbabilities
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        if self.log_target {
            let expected = "false where targets are classes, because the logarithm of 0 is infinite";
            return Err(ArgumentError::new("log_target", expected, self.log_target));
        }
        Ok(Some(elementwise::of_classes(KlDivLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }
}

impl KlDivLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// None today: there is nothing to refuse.
    pub fn init(&self) -> Result<KlDivLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(KlDivLoss { config: self.clone() })
    }
}

/// `loss = target (log(target) - input)`, or `exp(target) (target - input)` with `log_target`. The
/// input holds log-probabilities. A target of 0 costs 0.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again. `batchmean` divides
/// the sum by the size of the first dimension.
///
/// # Training a classifier
///
/// The network gives log-probabilities: it must end in a log-softmax. Nothing can check that: with other outputs
/// the loss falls without end. Targets are probabilities, 1 for the class of an image and 0 for the others, or
/// soft; `log_target` is refused. `batchmean` is the usual reduction: the mean over the images of each one's sum.
///
/// # Source
///
/// `torch.nn.KLDivLoss`; Kullback and Leibler, "On Information and Sufficiency" (1951), page 80.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::{KlDivLossConfig, Reduction};
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[-1.0, -1.0]], &device);
/// let target = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let config = KlDivLossConfig { reduction: Reduction::BatchMean, ..Default::default() };
/// assert_eq!(config.init()?.forward(input, target)?.into_scalar::<f32>(), 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KlDivLoss {
    config: KlDivLossConfig,
}

impl KlDivLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each element, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        if self.config.log_target {
            return Ok(target.clone().exp() * (target - input));
        }
        Ok(self_information(target.clone()) - target * input)
    }
}

impl Elementwise for KlDivLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}

/// `t log(t)`, 0 at `t = 0`.
fn self_information<const D: usize>(target: Tensor<D>) -> Tensor<D> {
    let zero = target.clone().inner().equal_scalar(0.0);
    (target.clone() * target.log()).mask_fill(zero, 0.0)
}
