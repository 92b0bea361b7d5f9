//! Soft margin (logistic loss of a signed target): `torch.nn.SoftMarginLoss`. Ours: Burn's is the
//! stable softplus, which stays finite where torch overflows to infinity; this one is torch's.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::Loss;
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Session};
use crate::targets::Targets;
use crate::{check, elementwise};

const NAME: &str = "soft_margin";

/// Arguments of [`SoftMarginLoss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoftMarginLossConfig {
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for SoftMarginLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.reduction.validate()
    }
}

impl Loss for SoftMarginLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.SoftMarginLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(SoftMarginLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }
}

impl SoftMarginLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `reduction` is `batchmean`.
    pub fn init(&self) -> Result<SoftMarginLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(SoftMarginLoss { config: self.clone() })
    }
}

/// `loss = log(1 + exp(-target * input))`, an element at a time; targets are 1 or -1.
///
/// As in torch the exponential overflows in f32 when `-target * input` passes 88: the loss is then
/// infinite and its gradient NaN. `bce_with_logits` is the stable form of the same loss.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Training a classifier
///
/// The network gives a score for each class, positive for "it is this one". Targets are 1 for the class of an
/// image and -1 for the others; a probability `p` becomes `2 p - 1`.
///
/// # Source
///
/// `torch.nn.SoftMarginLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::SoftMarginLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0], &device);
/// let loss = SoftMarginLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SoftMarginLoss {
    config: SoftMarginLossConfig,
}

impl SoftMarginLoss {
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
        Ok((target.neg() * input).exp().log1p())
    }
}

impl Elementwise for SoftMarginLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }

    fn class_targets(&self, targets: Targets, outputs_nk: &Tensor<2>) -> Result<Tensor<2>, LossError> {
        targets.into_signs(NAME, outputs_nk)
    }
}
