//! Smooth L1: `torch.nn.SmoothL1Loss`. Ours: Burn's panics at `beta = 0` (where torch gives L1),
//! keeps `beta` in f32 and takes no `none`.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::huber::huber;
use crate::loss::Loss;
use crate::reduction::Reduction;
use crate::session::explanation::{difference, number, of_elements};
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::{check, elementwise};

const NAME: &str = "smooth_l1";

/// Arguments of [`SmoothL1Loss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmoothL1LossConfig {
    /// Where the loss turns from squared to linear, 0 or above; 0 is L1. Default 1.
    pub beta: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for SmoothL1LossConfig {
    fn default() -> Self {
        Self { beta: 1.0, reduction: Reduction::Mean }
    }
}

impl Component for SmoothL1LossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.beta >= 0.0 && self.beta.is_finite(), "beta", self.beta, "a number, 0 or above")?;
        self.reduction.validate()
    }
}

impl Loss for SmoothL1LossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.SmoothL1Loss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(SmoothL1Loss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        let beta = self.beta;
        of_elements(inputs, |x, y| {
            let (text, distance) = (difference(x, y), (y - x).abs());
            if distance < beta {
                let text = format!("({text})^2 / {}", number(2.0 * beta));
                Term::new(text, distance * distance / (2.0 * beta))
            } else {
                Term::new(format!("(|{text}| - {})", number(beta / 2.0)), distance - beta / 2.0)
            }
        })
    }
}

impl SmoothL1LossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `beta` is below 0 or not a number, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<SmoothL1Loss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(SmoothL1Loss { config: self.clone() })
    }
}

/// Huber's loss divided by `beta`: with `d = input - target`,
/// `loss = d^2 / (2 beta)` where `|d| < beta`, otherwise `|d| - beta / 2`.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Training a classifier
///
/// The network's output is compared with probabilities: 1 for the class of an image and 0 for the others, or
/// soft targets. Nothing keeps it in 0..=1; a softmax or sigmoid at the end does.
///
/// # Source
///
/// `torch.nn.SmoothL1Loss`; Girshick, "Fast R-CNN" (2015), equation 3, page 3.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::SmoothL1LossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::ones([2, 2], &device);
/// let target = Tensor::<2>::from_floats([[0.0, 1.0], [2.0, 3.0]], &device);
/// let loss = SmoothL1LossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 0.625);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SmoothL1Loss {
    config: SmoothL1LossConfig,
}

impl SmoothL1Loss {
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
        let difference = input - target;
        let beta = self.config.beta;
        if beta == 0.0 {
            return Ok(difference.abs());
        }
        // Not `div_scalar`: Burn's backward of it rounds 1 / beta to f32, also for f64 tensors.
        Ok(huber(difference, beta).mul_scalar(1.0 / beta))
    }
}

impl Elementwise for SmoothL1Loss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}
