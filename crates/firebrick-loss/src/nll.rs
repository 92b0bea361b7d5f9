//! Negative log-likelihood of class indices: `torch.nn.NLLLoss`, and with `[N, C, H, W]` the old
//! `NLLLoss2d`. Ours: Burn has none.

use std::sync::Arc;

use burn::tensor::{Int, Tensor};
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::classes::{self, FlatTargets};
use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::reduction::Reduction;
use crate::session::explanation::{number, of_rows};
use crate::session::ranks::run_on_classes;
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::targets::Targets;

const NAME: &str = "nll";

/// Arguments of [`NllLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NllLossConfig {
    /// A factor for each class; 0 is allowed. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Vec<f64>>,
    /// A target that costs nothing and does not count in the mean. Default -100.
    pub ignore_index: i64,
    /// How the positions' losses become one number. Default `mean`, over the weights of the targets.
    pub reduction: Reduction,
}

impl Default for NllLossConfig {
    fn default() -> Self {
        Self { weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

impl Component for NllLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        if let Some(weight) = &self.weight {
            check::weights("weight", &[weight.len()], weight)?;
        }
        self.reduction.validate()
    }
}

impl Loss for NllLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.NLLLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn takes(&self) -> Takes {
        Takes::LogProbabilities
    }

    fn classification(
        &self,
        num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        classes::check_weight_argument(self.weight.as_ref(), num_classes)?;
        Ok(Some(Arc::new(NllLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::INDEX_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        run_on_classes!(session, self.init()?, self.reduction)
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        if self.weight.is_some() {
            return None;
        }
        of_rows(inputs, |row, class| Term::new(number(-row[class]), -row[class]))
    }
}

impl NllLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<NllLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(NllLoss { config: self.clone() })
    }
}

/// `loss = -weight[t] input[t]` for each target class `t`; the input holds log-probabilities.
///
/// # Shapes
///
/// `input` `[N, C]` with `target` `[N]`, or `[N, C, d1, ..]` with `[N, d1, ..]`, or one sample, `[C]`
/// with `[1]`; unreduced the shape of the target. `weight` has `C` numbers.
///
/// # Training a classifier
///
/// The network gives log-probabilities: it must end in a log-softmax. With other outputs the loss falls
/// without end, so a plan refuses a network that is known to give them. Targets are class indices.
///
/// # Source
///
/// `torch.nn.NLLLoss`, `torch.nn.NLLLoss2d`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Int, Tensor};
/// use firebrick_loss::NllLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[-1.0, -2.0], [-3.0, -4.0]], &device);
/// let target = Tensor::<1, Int>::from_ints([0, 1], &device);
/// let loss = NllLossConfig::default().init()?.forward(input, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 2.5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NllLoss {
    config: NllLossConfig,
}

impl NllLoss {
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
    /// only and never waits for the device. A target outside `0..C` makes Burn panic on some
    /// backends and read another element on others.
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
        let log_probabilities = classes::rows(input);
        let target = classes::flat_indices(target);
        let ignore = self.config.ignore_index;
        let targets = FlatTargets::new(target, weight, ignore, &log_probabilities);
        let losses = targets.apply(targets.pick(log_probabilities).neg());
        Ok((losses, targets))
    }
}

impl ClassificationLoss for NllLoss {
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
