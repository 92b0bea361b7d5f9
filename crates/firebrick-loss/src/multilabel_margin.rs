//! Multi-label margin: `torch.nn.MultiLabelMarginLoss`. Ours: Burn has none.

use std::sync::Arc;

use burn::tensor::{Bool, Int, Tensor};
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::loss::Loss;
use crate::numeric::strictly_positive;
use crate::reduction::Reduction;
use crate::session::ranks::run;
use crate::session::{Evaluation, InputSlot, Session};
use crate::targets::Targets;
use crate::{check, classes};

const NAME: &str = "multilabel_margin";

/// By how much every target class should win over every other class. torch has no argument for it.
const MARGIN: f64 = 1.0;

/// Arguments of [`MultilabelMarginLoss`], with torch's defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultilabelMarginLossConfig {
    /// How the samples' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for MultilabelMarginLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.reduction.validate()
    }
}

impl Loss for MultilabelMarginLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.MultiLabelMarginLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(Arc::new(MultilabelMarginLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::INDEX_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let mut shape = session.shape("input");
        shape.pop();
        let input = session.rows("input", "input")?;
        let target = session.index_rows("target", "input")?;
        run!(session, self.init()?, self.reduction, shape, input, target)
    }
}

impl MultilabelMarginLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `reduction` is `batchmean`.
    pub fn init(&self) -> Result<MultilabelMarginLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(MultilabelMarginLoss { config: self.clone() })
    }
}

/// `loss = 1 / C * sum over targets t and other classes c of max(0, 1 - input[t] + input[c])`. A row
/// of the target lists classes up to the first -1; what follows it is not looked at.
///
/// # Shapes
///
/// `input` and `target` `[N, C]`; unreduced `[N]`. One sample is `[1, C]`. Needs `N * C * C` numbers
/// of memory.
///
/// # Training a classifier
///
/// The network gives a score for each class; that of the right one should be larger by 1. Targets are class
/// indices, each the list of one class; with one class an image the loss is `multi_margin`'s. Probabilities are
/// no lists and are refused.
///
/// # Source
///
/// `torch.nn.MultiLabelMarginLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Int, Tensor};
/// use firebrick_loss::MultilabelMarginLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[0.1, 0.2, 0.4, 0.8]], &device);
/// let target = Tensor::<2, Int>::from_ints([[3, 0, -1, 1]], &device);
/// let loss = MultilabelMarginLossConfig::default().init()?.forward(input, target)?;
/// // ((1 - 0.8 + 0.2) + (1 - 0.8 + 0.4) + (1 - 0.1 + 0.2) + (1 - 0.1 + 0.4)) / 4
/// assert!((loss.into_scalar::<f32>() - 0.85).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MultilabelMarginLoss {
    config: MultilabelMarginLossConfig,
}

impl MultilabelMarginLoss {
    /// The reduced loss, shape `[1]`. Reads the target back to refuse classes that do not exist.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, a target is outside `-1..C`, or `reduction` is `none`.
    pub fn forward(&self, input: Tensor<2>, target: Tensor<2, Int>) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The reduced loss for targets that were checked when they were read: checks shapes and devices
    /// only and never waits for the device.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, or `reduction` is `none`.
    pub fn forward_trusted(&self, input: Tensor<2>, target: Tensor<2, Int>) -> Result<Tensor<1>, LossError> {
        let losses = self.losses(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each sample, whatever `reduction` says. Reads the target back.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, or a target is outside `-1..C`.
    pub fn forward_unreduced(
        &self,
        input: Tensor<2>,
        target: Tensor<2, Int>,
    ) -> Result<Tensor<1>, LossError> {
        let last = input.dims()[1] as i64 - 1;
        let losses = check_shapes(&input, &target)
            .and_then(|()| check::integers(NAME, "target", &target, -1..=last, None))
            .and_then(|()| self.losses(input, target))?;
        Ok(losses)
    }

    fn losses(&self, input: Tensor<2>, target: Tensor<2, Int>) -> Result<Tensor<1>, LossError> {
        check_shapes(&input, &target)?;
        let [count, num_classes] = input.dims();
        let target = classes::flat_indices(target).reshape([count, num_classes]);
        let (index, listed) = listed_targets(target);
        let cube = [count, num_classes, num_classes];
        let of_target = input.clone().gather(1, index.clone()).unsqueeze_dim::<3>(2);
        let of_class = input.unsqueeze_dim::<3>(1);
        let terms = strictly_positive((of_class.expand(cube) - of_target.expand(cube)).add_scalar(MARGIN));
        let costs_nothing = excluded_pairs(index, listed);
        let sums = terms
            .mask_fill(costs_nothing, 0.0)
            .reshape([count, num_classes * num_classes])
            .sum_dim(1)
            .reshape([count]);
        Ok(sums.mul_scalar(1.0 / num_classes as f64))
    }
}

impl ClassificationLoss for MultilabelMarginLoss {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        let lists = lists_of_one(targets.into_classes(NAME)?, outputs_nk.dims()[1]);
        self.forward_trusted(outputs_nk, lists)
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.config.reduction.check_reduces(NAME)?;
        let lists = lists_of_one(targets.into_classes(NAME)?, outputs_nk.dims()[1]);
        self.losses(outputs_nk, lists)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(self.config.reduction)
    }
}

/// The lists of targets `[n, k]` of images with one class each: the class, and -1 behind it.
fn lists_of_one(labels_n: Tensor<1, Int>, num_classes: usize) -> Tensor<2, Int> {
    let labels_n = classes::flat_indices(labels_n);
    let [count] = labels_n.dims();
    let first = labels_n.reshape([count, 1]);
    if num_classes == 1 {
        return first;
    }
    let end = first.zeros_like().sub_scalar(1).expand([count, num_classes - 1]);
    Tensor::cat(vec![first, end], 1)
}

fn check_shapes(input: &Tensor<2>, target: &Tensor<2, Int>) -> Result<(), LossError> {
    if target.dims() != input.dims() {
        return Err(check::shape(
            NAME,
            ("target", &target.dims()),
            format!("{:?}", input.dims()),
            ("input", &input.dims()),
        ));
    }
    check::not_empty(NAME, "input", &input.dims())?;
    check::same_device(NAME, ("input", input), ("target", target))
}

/// The class indices, 0 after the first -1 of each row, and where they are before it.
fn listed_targets(target: Tensor<2, Int>) -> (Tensor<2, Int>, Tensor<2, Bool>) {
    let ended = target.clone().lower_scalar(0).int().cumsum(1);
    let listed = ended.equal_scalar(0);
    let index = target.mask_fill(listed.clone().bool_not(), 0);
    (index, listed)
}

/// Which pairs (target j of the list, class c) are no pair of a target and another class, `[N, C, C]`.
fn excluded_pairs(index: Tensor<2, Int>, listed: Tensor<2, Bool>) -> Tensor<3, Bool> {
    let [count, num_classes] = index.dims();
    let cube = [count, num_classes, num_classes];
    let class = Tensor::<1, Int>::arange(0..num_classes as i64, &index.device())
        .reshape([1, 1, num_classes])
        .expand(cube);
    let listed = listed.unsqueeze_dim::<3>(2).expand(cube);
    let names_class = index.unsqueeze_dim::<3>(2).expand(cube).equal(class);
    // Any target of the row that names the class makes it no "other" class for all of them.
    let is_target = names_class.bool_and(listed.clone()).int().sum_dim(1).greater_scalar(0).expand(cube);
    listed.bool_not().bool_or(is_target)
}
