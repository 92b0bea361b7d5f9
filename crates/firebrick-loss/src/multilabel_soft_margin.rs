//! Multi-label soft margin (binary cross-entropy of each class): `torch.nn.MultiLabelSoftMarginLoss`.
//! Ours: Burn has none.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::numeric::log_sigmoid;
use crate::reduction::Reduction;
use crate::session::ranks::run;
use crate::session::{Evaluation, InputSlot, Session};
use crate::targets::Targets;
use crate::weight::BroadcastWeight;

const NAME: &str = "multilabel_soft_margin";

/// Arguments of [`MultilabelSoftMarginLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultilabelSoftMarginLossConfig {
    /// A factor for each class, broadcast to the input. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<BroadcastWeight>,
    /// How the samples' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for MultilabelSoftMarginLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        if let Some(weight) = &self.weight {
            weight.validate("weight")?;
        }
        self.reduction.validate()
    }
}

impl Loss for MultilabelSoftMarginLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.MultiLabelSoftMarginLoss")
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
        Ok(Some(Arc::new(MultilabelSoftMarginLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let mut shape = session.shape("input");
        shape.pop();
        let input = session.rows("input", "input")?;
        let target = session.rows("target", "input")?;
        run!(session, self.init()?, self.reduction, shape, input, target)
    }
}

impl MultilabelSoftMarginLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<MultilabelSoftMarginLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(MultilabelSoftMarginLoss { config: self.clone() })
    }
}

/// `loss = -1 / C * sum over c of weight[c] (t[c] log(sigmoid(x[c])) + (1 - t[c]) log(sigmoid(-x[c])))`
/// for logits `x` and targets `t`, each 0 or 1.
///
/// # Shapes
///
/// `input` and `target` `[N, C]`; unreduced `[N]`. One sample is `[1, C]`. `weight` broadcasts to the
/// input.
///
/// # Training a classifier
///
/// The network gives a logit for each class by itself. Targets are 1 for the class of an image and 0 for the
/// others, or soft. `weight` is one number, or one a class.
///
/// # Source
///
/// `torch.nn.MultiLabelSoftMarginLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::MultilabelSoftMarginLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
/// let target = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let loss = MultilabelSoftMarginLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), std::f32::consts::LN_2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MultilabelSoftMarginLoss {
    config: MultilabelSoftMarginLossConfig,
}

impl MultilabelSoftMarginLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward(&self, input: Tensor<2>, target: Tensor<2>) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each sample, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced(&self, input: Tensor<2>, target: Tensor<2>) -> Result<Tensor<1>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        let [count, num_classes] = input.dims();
        let present = target.clone() * log_sigmoid(input.clone());
        let absent = target.neg().add_scalar(1.0) * log_sigmoid(input.clone().neg());
        let mut losses = (present + absent).neg();
        if let Some(weight) = &self.config.weight {
            losses = losses * weight.to_tensor(NAME, "weight", &input)?;
        }
        let sums = losses.sum_dim(1).reshape([count]);
        Ok(sums.mul_scalar(1.0 / num_classes as f64))
    }
}

impl ClassificationLoss for MultilabelSoftMarginLoss {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        let targets_nk = targets.into_probabilities(NAME, &outputs_nk)?;
        self.forward(outputs_nk, targets_nk)
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.config.reduction.check_reduces(NAME)?;
        let targets_nk = targets.into_probabilities(NAME, &outputs_nk)?;
        self.forward_unreduced(outputs_nk, targets_nk)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(self.config.reduction)
    }
}
