//! Focal loss of class indices: Lin et al.'s loss with a softmax, for image classifiers whose classes
//! are of very different sizes. Ours: neither Burn nor torch has it; with `gamma = 0` it is
//! `cross_entropy`, and with two classes and logits `[0, x]` it is `sigmoid_focal` without `alpha`.

use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classes::{self, FlatTargets};
use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::reduction::Reduction;
use crate::session::ranks::run_on_classes;
use crate::session::{Evaluation, InputSlot, Session};
use crate::targets::Targets;
use crate::{check, numeric};

const NAME: &str = "focal";

/// Arguments of [`FocalLoss`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FocalLossConfig {
    /// How much easy samples count less, 0 or above. Default 2, the paper's.
    pub gamma: f64,
    /// The paper's alpha: a factor for each class. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Vec<f64>>,
    /// A class index that costs nothing and does not count in the mean. Default -100.
    pub ignore_index: i64,
    /// How the positions' losses become one number. Default `mean`, over the weights of the targets
    /// as in `cross_entropy`.
    pub reduction: Reduction,
}

impl Default for FocalLossConfig {
    fn default() -> Self {
        Self { gamma: 2.0, weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

impl Component for FocalLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::gamma(self.gamma)?;
        if let Some(weight) = &self.weight {
            check::weights("weight", &[weight.len()], weight)?;
        }
        self.reduction.validate()
    }
}

impl Loss for FocalLossConfig {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        Takes::Scores
    }

    fn begins_with_softmax(&self) -> bool {
        true
    }

    fn classification(
        &self,
        num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        classes::check_weight_argument(self.weight.as_ref(), num_classes)?;
        Ok(Some(Arc::new(FocalLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::INDEX_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        run_on_classes!(session, self.init()?, self.reduction)
    }
}

impl FocalLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `gamma` is below 0 or not a number, a weight is not finite, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<FocalLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(FocalLoss { config: self.clone() })
    }
}

/// `loss = -weight[t] (1 - q)^gamma log(q)` with `q = softmax(input)[t]` for each target class `t`.
///
/// # Shapes
///
/// `input` `[N, C]` with `target` `[N]`, or `[N, C, d1, ..]` with `[N, d1, ..]`, or one sample, `[C]`
/// with `[1]`; unreduced the shape of the target. `weight` has `C` numbers.
///
/// # Training a classifier
///
/// The network gives logits. Targets are class indices.
///
/// # Source
///
/// Lin et al., "Focal Loss for Dense Object Detection" (2017), equation 5, page 3, with the softmax in
/// place of the sigmoid (as its section 3 allows). torchvision's sigmoid form is
/// [`SigmoidFocalLoss`](crate::SigmoidFocalLoss).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Int, Tensor};
/// use firebrick_loss::FocalLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
/// let target = Tensor::<1, Int>::from_ints([1], &device);
/// let loss = FocalLossConfig::default().init()?.forward(input, target)?;
/// // 0.5^2 * log(2)
/// assert!((loss.into_scalar::<f32>() - 0.173_286_8).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FocalLoss {
    config: FocalLossConfig,
}

impl FocalLoss {
    /// The reduced loss, shape `[1]`. Reads the target back to refuse classes that do not exist.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, a target is outside
    /// `0..C` and not `ignore_index`, or `reduction` is `none`.
    pub fn forward<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<T, Int>,
    ) -> Result<Tensor<1>, LossError> {
        self.check_values(&input, &target)?;
        self.forward_trusted(input, target)
    }

    /// The reduced loss for targets that were checked when they were read: checks shapes and devices
    /// only and never waits for the device.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, or `reduction` is `none`.
    pub fn forward_trusted<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<T, Int>,
    ) -> Result<Tensor<1>, LossError> {
        let (losses, targets) = self.losses(input, target)?;
        targets.reduce(NAME, self.config.reduction, losses)
    }

    /// The loss of each position, whatever `reduction` says. Reads the target back.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, or a target is outside
    /// `0..C` and not `ignore_index`.
    pub fn forward_unreduced<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<T, Int>,
    ) -> Result<Tensor<T>, LossError> {
        self.check_values(&input, &target)?;
        let shape = target.dims();
        let (losses, _) = self.losses(input, target)?;
        Ok(classes::unflatten(losses, shape))
    }

    fn check_values<const D: usize, const T: usize>(
        &self,
        input: &Tensor<D>,
        target: &Tensor<T, Int>,
    ) -> Result<(), LossError> {
        classes::check_target_shape(NAME, &input.dims(), &target.dims())?;
        let classes = classes::num_classes(&input.dims());
        classes::check_target_values(NAME, target, classes, Some(self.config.ignore_index))
    }

    fn losses<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<T, Int>,
    ) -> Result<(Tensor<1>, FlatTargets), LossError> {
        let weight = self.config.weight.as_ref();
        classes::check_target_shape(NAME, &input.dims(), &target.dims())?;
        classes::check_weight(NAME, weight, &input.dims())?;
        check::same_device(NAME, ("input", &input), ("target", &target))?;
        let logits = classes::rows(input);
        let target = classes::flat_indices(target);
        let targets = FlatTargets::new(target, weight, self.config.ignore_index, &logits);
        let log_probability = targets.pick(log_softmax(logits, 1));
        let mut losses = log_probability.clone().neg();
        if self.config.gamma != 0.0 {
            let missed = log_probability.exp().neg().add_scalar(1.0);
            losses = losses * numeric::power(missed, self.config.gamma);
        }
        Ok((targets.apply(losses), targets))
    }
}

impl ClassificationLoss for FocalLoss {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.forward_trusted(outputs_nk, targets.into_classes(NAME)?)
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.config.reduction.check_reduces(NAME)?;
        let (losses_n, _) = self.losses(outputs_nk, targets.into_classes(NAME)?)?;
        Ok(losses_n)
    }

    fn weight(&self, label: usize) -> f64 {
        classes::weight_of(label, self.config.weight.as_ref(), self.config.ignore_index)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(self.config.reduction)
    }
}
