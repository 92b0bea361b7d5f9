//! Multi-class margin: `torch.nn.MultiMarginLoss`. Ours: Burn's has no `weight`, a gradient at the
//! hinge itself, and takes the target's own term out after adding it, which costs digits.

use std::sync::Arc;

use burn::tensor::{Int, Tensor};
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::loss::Loss;
use crate::numeric::{self, strictly_positive};
use crate::reduction::Reduction;
use crate::session::ranks::run;
use crate::session::{Evaluation, InputSlot, Session};
use crate::targets::Targets;
use crate::{check, classes};

const NAME: &str = "multi_margin";

/// Arguments of [`MultiMarginLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultiMarginLossConfig {
    /// The power of each class's hinge, 1 or 2. Default 1.
    pub p: i64,
    /// By how much the target class should win. Default 1.
    pub margin: f64,
    /// A factor for each target class. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Vec<f64>>,
    /// How the samples' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for MultiMarginLossConfig {
    fn default() -> Self {
        Self { p: 1, margin: 1.0, weight: None, reduction: Reduction::Mean }
    }
}

impl Component for MultiMarginLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that([1, 2].contains(&self.p), "p", self.p, "1 or 2")?;
        that(self.margin.is_finite(), "margin", self.margin, "a number")?;
        if let Some(weight) = &self.weight {
            check::weights("weight", &[weight.len()], weight)?;
        }
        self.reduction.validate()
    }
}

impl Loss for MultiMarginLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.MultiMarginLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        classes::check_weight_argument(self.weight.as_ref(), num_classes)?;
        Ok(Some(Arc::new(MultiMarginLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::INDEX_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let mut shape = session.shape("input");
        shape.pop();
        let input = session.rows("input", "input")?;
        let target: Tensor<1, Int> = session.index("target", "input", &input.dims())?;
        run!(session, self.init()?, self.reduction, shape, input, target)
    }
}

impl MultiMarginLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `p` is neither 1 nor 2, `margin` or a weight is not a number, or `reduction` is
    /// `batchmean`.
    pub fn init(&self) -> Result<MultiMarginLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(MultiMarginLoss { config: self.clone() })
    }
}

/// `loss = weight[t] / C * sum over c != t of max(0, margin - input[t] + input[c])^p` for each target
/// class `t`.
///
/// # Shapes
///
/// `input` `[N, C]` with `target` `[N]`; unreduced `[N]`. One sample is `[1, C]` with `[1]`. `weight`
/// has `C` numbers.
///
/// # Training a classifier
///
/// The network gives a score for each class; that of the right one should be larger by `margin`. Targets are
/// class indices. `weight` scales an image's loss and, as in torch, not what the mean divides by.
///
/// # Source
///
/// `torch.nn.MultiMarginLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Int, Tensor};
/// use firebrick_loss::MultiMarginLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[0.0, 0.5, -2.0, 0.5]], &device);
/// let target = Tensor::<1, Int>::from_ints([0], &device);
/// let loss = MultiMarginLossConfig::default().init()?.forward(input, target)?;
/// // (1.5 + 0 + 1.5) / 4
/// assert_eq!(loss.into_scalar::<f32>(), 0.75);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MultiMarginLoss {
    config: MultiMarginLossConfig,
}

impl MultiMarginLoss {
    /// The reduced loss, shape `[1]`. Reads the target back to refuse classes that do not exist.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, a target is outside
    /// `0..C`, or `reduction` is `none`.
    pub fn forward(&self, input: Tensor<2>, target: Tensor<1, Int>) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The reduced loss for targets that were checked when they were read: checks shapes and devices
    /// only and never waits for the device.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, or `reduction` is `none`.
    pub fn forward_trusted(&self, input: Tensor<2>, target: Tensor<1, Int>) -> Result<Tensor<1>, LossError> {
        let losses = self.losses(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each sample, whatever `reduction` says. Reads the target back.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, or a target is outside
    /// `0..C`.
    pub fn forward_unreduced(
        &self,
        input: Tensor<2>,
        target: Tensor<1, Int>,
    ) -> Result<Tensor<1>, LossError> {
        classes::check_target_shape(NAME, &input.dims(), &target.dims())?;
        classes::check_target_values(NAME, &target, input.dims()[1], None)?;
        self.losses(input, target)
    }

    fn losses(&self, input: Tensor<2>, target: Tensor<1, Int>) -> Result<Tensor<1>, LossError> {
        let weight = self.config.weight.as_ref();
        classes::check_target_shape(NAME, &input.dims(), &target.dims())?;
        classes::check_weight(NAME, weight, &input.dims())?;
        check::same_device(NAME, ("input", &input), ("target", &target))?;
        let [count, num_classes] = input.dims();
        let index = classes::flat_indices(target);
        let column = index.clone().reshape([count, 1]);
        let of_target = input.clone().gather(1, column);
        let mut terms = strictly_positive((input.clone() - of_target).add_scalar(self.config.margin));
        if self.config.p == 2 {
            terms = terms.square();
        }
        let is_target = classes::is_class(index.clone(), num_classes);
        let sums = terms.mask_fill(is_target, 0.0).sum_dim(1).reshape([count]);
        let losses = sums.mul_scalar(1.0 / num_classes as f64);
        match weight {
            None => Ok(losses),
            Some(weight) => {
                let weight = numeric::constant::<1, 2>(weight, [weight.len()], &input);
                Ok(losses * weight.gather(0, index))
            }
        }
    }
}

impl ClassificationLoss for MultiMarginLoss {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.forward_trusted(outputs_nk, targets.into_classes(NAME)?)
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.config.reduction.check_reduces(NAME)?;
        self.losses(outputs_nk, targets.into_classes(NAME)?)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(self.config.reduction)
    }
}
