//! Binary cross-entropy of logits: `torch.nn.BCEWithLogitsLoss`. Ours: Burn's takes integer targets
//! and the mean only, and has no `pos_weight`.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::numeric::log_sigmoid;
use crate::reduction::Reduction;
use crate::session::explanation::{number, of_elements, signed};
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::weight::BroadcastWeight;
use crate::{check, elementwise};

const NAME: &str = "bce_with_logits";

/// Arguments of [`BceWithLogitsLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BceWithLogitsLossConfig {
    /// A factor for each element, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<BroadcastWeight>,
    /// A factor for positive targets, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pos_weight: Option<BroadcastWeight>,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for BceWithLogitsLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        if let Some(weight) = &self.weight {
            weight.validate("weight")?;
        }
        if let Some(weight) = &self.pos_weight {
            weight.validate("pos_weight")?;
        }
        self.reduction.validate()
    }
}

impl Loss for BceWithLogitsLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.BCEWithLogitsLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        Takes::Scores
    }

    fn classification(
        &self,
        num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        if let Some(weight) = &self.weight {
            weight.check_classes("weight", num_classes)?;
        }
        if let Some(weight) = &self.pos_weight {
            weight.check_classes("pos_weight", num_classes)?;
        }
        Ok(Some(elementwise::of_classes(BceWithLogitsLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        if self.weight.is_some() || self.pos_weight.is_some() {
            return None;
        }
        of_elements(inputs, |x, y| {
            let text = format!("({} * {} + log(1 + exp({})))", number(1.0 - y), signed(x), number(-x));
            Term::new(text, (1.0 - y) * x + (-x).exp().ln_1p())
        })
    }
}

impl BceWithLogitsLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<BceWithLogitsLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(BceWithLogitsLoss { config: self.clone() })
    }
}

/// `loss = -weight (pos_weight t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))` for logits `x` and
/// targets `t`, computed as torch does: `(1 - t) x - (1 + (pos_weight - 1) t) log(sigmoid(x))`.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again. `weight` and
/// `pos_weight` broadcast to it.
///
/// # Training a classifier
///
/// The network gives a logit for each class by itself ("is it this one or not"). Targets are 1 for the class of
/// an image and 0 for the others, or soft. `weight` and `pos_weight` are one number, or one a class.
///
/// # Source
///
/// `torch.nn.BCEWithLogitsLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::BceWithLogitsLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0], &device);
/// let loss = BceWithLogitsLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BceWithLogitsLoss {
    config: BceWithLogitsLossConfig,
}

impl BceWithLogitsLoss {
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
        let mut log_probability = log_sigmoid(input.clone());
        if let Some(weight) = &self.config.pos_weight {
            let excess = weight.to_tensor(NAME, "pos_weight", &input)?.sub_scalar(1.0);
            log_probability = log_probability * (excess * target.clone()).add_scalar(1.0);
        }
        let losses = target.neg().add_scalar(1.0) * input.clone() - log_probability;
        match &self.config.weight {
            None => Ok(losses),
            Some(weight) => Ok(losses * weight.to_tensor(NAME, "weight", &input)?),
        }
    }
}

impl Elementwise for BceWithLogitsLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }
}
