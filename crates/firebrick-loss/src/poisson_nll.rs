//! Poisson negative log-likelihood: `torch.nn.PoissonNLLLoss`. Ours: Burn's reads the device back at
//! every call, keeps pi in f32 and has no `none`.

use std::f64::consts::PI;
use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component, NoEffect};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Session};
use crate::{check, elementwise};

const NAME: &str = "poisson_nll";

/// Arguments of [`PoissonNllLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoissonNllLossConfig {
    /// Whether the input holds the logarithm of the rate. Default true.
    pub log_input: bool,
    /// Whether to add Stirling's approximation of `log(target!)`. Default false.
    pub full: bool,
    /// Keeps `log(input)` finite when `log_input` is false. Default 1e-8.
    pub eps: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for PoissonNllLossConfig {
    fn default() -> Self {
        Self { log_input: true, full: false, eps: 1e-8, reduction: Reduction::Mean }
    }
}

impl Component for PoissonNllLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.eps.is_finite(), "eps", self.eps, "a number")?;
        self.reduction.validate()
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        let has_effect = !self.log_input || self.eps == Self::default().eps;
        NoEffect::unless(has_effect, "eps", "with log_input = true no logarithm is taken of the input")
    }
}

impl Loss for PoissonNllLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.PoissonNLLLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        if self.log_input { Takes::Anything } else { Takes::NonNegative }
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(PoissonNllLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }
}

impl PoissonNllLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `eps` is not a number, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<PoissonNllLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(PoissonNllLoss { config: self.clone() })
    }
}

/// `loss = exp(input) - target * input`, or `input - target * log(input + eps)` without `log_input`;
/// `full` adds `t log(t) - t + log(2 pi t) / 2` for each target `t` above 1.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Training a classifier
///
/// The network gives the logarithm of a rate for each class, or the rate itself (0 or above) without
/// `log_input`. Targets are counts: 1 for the class of an image and 0 for the others, or soft.
///
/// # Source
///
/// `torch.nn.PoissonNLLLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::PoissonNllLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0, 0.0], &device);
/// let target = Tensor::<1>::from_floats([2.0, 3.0], &device);
/// let loss = PoissonNllLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PoissonNllLoss {
    config: PoissonNllLossConfig,
}

impl PoissonNllLoss {
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
        let losses = if self.config.log_input {
            input.clone().exp() - target.clone() * input
        } else {
            input.clone() - target.clone() * input.add_scalar(self.config.eps).log()
        };
        if self.config.full {
            return Ok(losses + stirling(target));
        }
        Ok(losses)
    }
}

impl Elementwise for PoissonNllLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}

/// Stirling's approximation of `log(t!)`, 0 for targets up to 1.
fn stirling<const D: usize>(target: Tensor<D>) -> Tensor<D> {
    let small = target.clone().inner().lower_equal_scalar(1.0);
    let half_log = target.clone().mul_scalar(2.0 * PI).log().mul_scalar(0.5);
    let factorial = target.clone() * target.clone().log() - target + half_log;
    factorial.mask_fill(small, 0.0)
}
