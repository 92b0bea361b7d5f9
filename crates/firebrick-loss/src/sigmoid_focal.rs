//! Focal loss of independent binary targets, as RetinaNet has it: torchvision's
//! `torchvision.ops.sigmoid_focal_loss`. Ours: Burn has none.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::numeric::{self, log_sigmoid};
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Session};
use crate::{check, elementwise};

const NAME: &str = "sigmoid_focal";

/// Arguments of [`SigmoidFocalLoss`], with torchvision's names and defaults (but for `reduction`,
/// which is `mean` as everywhere else here; torchvision's is `none`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SigmoidFocalLossConfig {
    /// The share of positive targets in the balance, in 0..=1, or -1 for no balance. Default 0.25.
    pub alpha: f64,
    /// How much easy elements count less, 0 or above. Default 2.
    pub gamma: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for SigmoidFocalLossConfig {
    fn default() -> Self {
        Self { alpha: 0.25, gamma: 2.0, reduction: Reduction::Mean }
    }
}

impl Component for SigmoidFocalLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let is_balance = self.alpha == -1.0 || (0.0..=1.0).contains(&self.alpha);
        that(is_balance, "alpha", self.alpha, "in 0..=1, or -1")?;
        check::gamma(self.gamma)?;
        self.reduction.validate()
    }
}

impl Loss for SigmoidFocalLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torchvision.ops.sigmoid_focal_loss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        Takes::Scores
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(SigmoidFocalLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }
}

impl SigmoidFocalLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `alpha` is neither in 0..=1 nor -1, `gamma` is below 0 or not a number, or `reduction` is
    /// `batchmean`.
    pub fn init(&self) -> Result<SigmoidFocalLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(SigmoidFocalLoss { config: self.clone() })
    }
}

/// `loss = -a (1 - q)^gamma log(q)` for each element, where `q` is the probability that the logit
/// gives to the target and `a` is `alpha` for a target of 1 and `1 - alpha` for one of 0.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Training a classifier
///
/// The network gives a logit for each class by itself. Targets are 1 for the class of an image and 0 for the
/// others, or soft.
///
/// # Source
///
/// `torchvision.ops.sigmoid_focal_loss`; Lin et al., "Focal Loss for Dense Object Detection" (2017),
/// equation 5, page 3.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::SigmoidFocalLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0], &device);
/// let loss = SigmoidFocalLossConfig::default().init()?.forward(input, target)?;
/// // 0.25 * 0.5^2 * log(2)
/// assert!((loss.into_scalar::<f32>() - 0.043_321_7).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SigmoidFocalLoss {
    config: SigmoidFocalLossConfig,
}

impl SigmoidFocalLoss {
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
        let SigmoidFocalLossConfig { alpha, gamma, .. } = self.config;
        let not_target = target.clone().neg().add_scalar(1.0);
        // log(q) of a target of 1, and of one of 0.
        let (log_hit, log_reject) = (log_sigmoid(input.clone()), log_sigmoid(input.clone().neg()));
        let mut losses = not_target.clone() * input - log_hit.clone();
        if gamma != 0.0 {
            // 1 - q, not by subtraction, so that a confident hit keeps its digits; and not by Burn's
            // sigmoid, which computes in f32 on some backends.
            let missed = target.clone() * log_reject.exp() + not_target.clone() * log_hit.exp();
            losses = losses * numeric::power(missed, gamma);
        }
        if alpha >= 0.0 {
            losses = losses * (target.mul_scalar(alpha) + not_target.mul_scalar(1.0 - alpha));
        }
        Ok(losses)
    }
}

impl Elementwise for SigmoidFocalLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}
