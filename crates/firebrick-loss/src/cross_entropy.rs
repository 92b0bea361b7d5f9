//! Cross-entropy of logits: `torch.nn.CrossEntropyLoss`, the loss that trains classifiers. Ours:
//! Burn's takes `[N, C]` with class indices and the mean only, has no `ignore_index` of -100, refuses
//! weights of 0 and has no probability targets.

use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Total, cross_entropy};
use serde::{Deserialize, Serialize};

use crate::classes::{self, FlatTargets};
use crate::classification::{ClassificationLoss, Counted};
use crate::error::LossError;
use crate::loss::{Loss, Takes};
use crate::reduction::Reduction;
use crate::session::explanation::{number, of_rows};
use crate::session::ranks::{run, with_class_rank};
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::targets::Targets;
use crate::{check, numeric};

const NAME: &str = "cross_entropy";

/// Arguments of [`CrossEntropyLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrossEntropyLossConfig {
    /// A factor for each class; 0 is allowed. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Vec<f64>>,
    /// A class index that costs nothing and does not count in the mean. Default -100.
    pub ignore_index: i64,
    /// How much of each target is spread evenly over all classes, in 0..=1. Default 0.
    pub label_smoothing: f64,
    /// How the positions' losses become one number. Default `mean`: over the weights of the target
    /// classes for class indices, over the number of positions for probabilities.
    pub reduction: Reduction,
}

impl Default for CrossEntropyLossConfig {
    fn default() -> Self {
        Self { weight: None, ignore_index: -100, label_smoothing: 0.0, reduction: Reduction::Mean }
    }
}

impl Component for CrossEntropyLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let is_share = (0.0..=1.0).contains(&self.label_smoothing);
        that(is_share, "label_smoothing", self.label_smoothing, "in 0..=1")?;
        if let Some(weight) = &self.weight {
            check::weights("weight", &[weight.len()], weight)?;
        }
        self.reduction.validate()
    }
}

impl Loss for CrossEntropyLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.CrossEntropyLoss")
    }

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
        Ok(Some(Arc::new(CrossEntropyLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::CLASS_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let loss = self.init()?;
        let mut shape = session.shape("input");
        with_class_rank!(session, D, T => {
            shape.remove(usize::from(D > 1));
            let input: Tensor<D> = session.float("input", "input")?;
            if !session.is_float("target") {
                let target: Tensor<T, Int> = session.index("target", "input", &input.dims())?;
                return run!(session, loss, self.reduction, shape, input, target);
            }
            let target: Tensor<D> = session.float("target", "input")?;
            if self.reduction == Reduction::None {
                let losses: Tensor<T> = loss.forward_probabilities_unreduced(input, target)?;
                return session.finish(losses, shape);
            }
            session.finish(loss.forward_probabilities(input, target)?, Vec::new())
        })
    }

    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        if self.weight.is_some() || self.label_smoothing != 0.0 {
            return None;
        }
        of_rows(inputs, |row, class| {
            let exponentials: Vec<String> = row.iter().map(|x| format!("exp({})", number(*x))).collect();
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
            let text = format!("({} + log({}))", number(-row[class]), exponentials.join(" + "));
            Term::new(text, sum.ln() + largest - row[class])
        })
    }
}

impl CrossEntropyLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `label_smoothing` is outside 0..=1, a weight is not finite, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<CrossEntropyLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(CrossEntropyLoss { config: self.clone() })
    }
}

/// `loss = -weight[t] log(softmax(input)[t])` for each target class `t`, or
/// `-sum over c of weight[c] p[c] log(softmax(input)[c])` for target probabilities `p`.
///
/// With label smoothing `s` the target is `1 - s` of itself and `s / C` of every class, each with
/// its own weight. The softmax is computed as torch does, `x - max - log(sum(exp(x - max)))`, so
/// logits of any finite size give a finite loss.
///
/// # Shapes
///
/// `input` `[N, C]` with class indices `[N]`, or `[N, C, d1, ..]` with `[N, d1, ..]`, or one sample,
/// `[C]` with `[1]`; unreduced the shape of the class indices. Target probabilities have the shape of
/// the input. `weight` has `C` numbers.
///
/// # Training a classifier
///
/// The network gives logits. Targets are class indices or probabilities. Over a split, the mean of class indices
/// is torch's: the sum of the weighted losses divided by the sum of the weights of the images' classes, where an
/// image that is ignored has a weight of 0.
///
/// # Source
///
/// `torch.nn.CrossEntropyLoss`; label smoothing: Szegedy et al., "Rethinking the Inception
/// Architecture for Computer Vision" (2016), section 7, page 2823.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Int, Tensor};
/// use firebrick_loss::CrossEntropyLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[0.1, 0.2, 0.3]], &device);
/// let target = Tensor::<1, Int>::from_ints([1], &device);
/// let loss = CrossEntropyLossConfig::default().init()?.forward(input, target)?;
/// assert!((loss.into_scalar::<f32>() - 1.1019428).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CrossEntropyLoss {
    config: CrossEntropyLossConfig,
}

impl CrossEntropyLoss {
    /// The reduced loss of class indices, shape `[1]`. Reads the target back to refuse classes that
    /// do not exist.
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

    /// The reduced loss of class indices that were checked when they were read: checks shapes and
    /// devices only and never waits for the device. This is the one for training steps. A target
    /// outside `0..C` makes Burn panic on some backends and read another element on others.
    ///
    /// # Errors
    ///
    /// If shapes or devices differ, `weight` has another length than `C`, or `reduction` is `none`.
    pub fn forward_trusted<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<T, Int>,
    ) -> Result<Tensor<1>, LossError> {
        if let Some(loss) = self.in_one_step(&input, &target)? {
            return Ok(loss);
        }
        let (losses, targets) = self.losses(input, target)?;
        targets.reduce(NAME, self.config.reduction, losses)
    }

    /// The loss without weights and smoothing, where the kernels compute it.
    fn in_one_step<const D: usize, const T: usize>(
        &self,
        input: &Tensor<D>,
        target: &Tensor<T, Int>,
    ) -> Result<Option<Tensor<1>>, LossError> {
        let CrossEntropyLossConfig { weight: None, ignore_index, label_smoothing: 0.0, reduction } =
            self.config
        else {
            return Ok(None);
        };
        let total = match reduction {
            Reduction::Mean => Total::Mean,
            Reduction::Sum => Total::Sum,
            Reduction::None | Reduction::BatchMean => return Ok(None),
        };
        self.check_shapes(input, target)?;
        let count = target.dims().iter().product::<usize>();
        let (logits, target) = (classes::rows(input.clone()), target.clone().reshape([count]));
        Ok(cross_entropy(&logits, &target, ignore_index, total))
    }

    /// The loss of each position for class indices, whatever `reduction` says. Reads the target back.
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

    /// The reduced loss of target probabilities, shape `[1]`. The mean is over positions, not over
    /// weights, as in torch. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, `weight` has another length than `C`,
    /// `ignore_index` is set to a class, or `reduction` is `none`.
    pub fn forward_probabilities<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.probability_losses(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each position for target probabilities, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// As [`forward_probabilities`](Self::forward_probabilities) but for `reduction`, and if `T` is
    /// not the rank of the result: `D - 1`, or 1 for one sample.
    pub fn forward_probabilities_unreduced<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<T>, LossError> {
        let shape = input.dims();
        let positions = classes::positions_shape(&shape);
        let Ok(positions) = <[usize; T]>::try_from(positions) else {
            return Err(LossError::Rank {
                loss: NAME,
                argument: "input",
                got: shape.to_vec(),
                expected: "one dimension more than the unreduced result asked for",
            });
        };
        let losses = self.probability_losses(input, target)?;
        Ok(classes::unflatten(losses, positions))
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

    fn check_shapes<const D: usize, const T: usize>(
        &self,
        input: &Tensor<D>,
        target: &Tensor<T, Int>,
    ) -> Result<(), LossError> {
        classes::check_target_shape(NAME, &input.dims(), &target.dims())?;
        classes::check_weight(NAME, self.config.weight.as_ref(), &input.dims())?;
        check::same_device(NAME, ("input", input), ("target", target))
    }

    fn losses<const D: usize, const T: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<T, Int>,
    ) -> Result<(Tensor<1>, FlatTargets), LossError> {
        self.check_shapes(&input, &target)?;
        let weight = self.config.weight.as_ref();
        let logits = classes::rows(input);
        let target = classes::flat_indices(target);
        let targets = FlatTargets::new(target, weight, self.config.ignore_index, &logits);
        if self.config.label_smoothing == 0.0 {
            let losses = targets.apply(plain(&targets, logits));
            return Ok((losses, targets));
        }
        let losses = self.smoothed(&targets, logits);
        Ok((losses, targets))
    }

    /// `(1 - s) nll + s / C * (sum over all classes)`, where only the first part has the target's
    /// weight: the second one has each class's own.
    fn smoothed(&self, targets: &FlatTargets, logits: Tensor<2>) -> Tensor<1> {
        let smoothing = self.config.label_smoothing;
        let [count, classes] = logits.dims();
        let log_probabilities = log_softmax(logits, 1);
        let nll = targets.apply(targets.pick(log_probabilities.clone()).neg());
        let spread = self
            .weighted_classes(log_probabilities)
            .sum_dim(1)
            .reshape([count])
            .neg()
            .mask_fill(targets.ignored.clone(), 0.0);
        nll.mul_scalar(1.0 - smoothing) + spread.mul_scalar(smoothing / classes as f64)
    }

    fn probability_losses<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        self.check_probabilities(&input, &target)?;
        let classes = classes::num_classes(&input.dims()) as f64;
        let smoothing = self.config.label_smoothing;
        let mut target = classes::rows(target);
        if smoothing > 0.0 {
            target = target.mul_scalar(1.0 - smoothing).add_scalar(smoothing / classes);
        }
        let log_probabilities = log_softmax(classes::rows(input), 1);
        let [count, _] = log_probabilities.dims();
        let products = self.weighted_classes(log_probabilities * target);
        Ok(products.sum_dim(1).reshape([count]).neg())
    }

    fn check_probabilities<const D: usize>(
        &self,
        input: &Tensor<D>,
        target: &Tensor<D>,
    ) -> Result<(), LossError> {
        check::same(NAME, ("input", input), ("target", target))?;
        classes::check_target_shape(NAME, &input.dims(), &classes::positions_shape(&input.dims()))?;
        classes::check_weight(NAME, self.config.weight.as_ref(), &input.dims())?;
        if self.config.ignore_index >= 0 {
            let expected = "negative when the target holds probabilities";
            let source = ArgumentError::new("ignore_index", expected, self.config.ignore_index);
            return Err(LossError::Argument { loss: NAME, source });
        }
        Ok(())
    }

    /// Multiplies each class's column by its weight.
    fn weighted_classes(&self, rows: Tensor<2>) -> Tensor<2> {
        match &self.config.weight {
            None => rows,
            Some(weight) => {
                let weight = numeric::constant(weight, [1, weight.len()], &rows);
                rows * weight
            }
        }
    }
}

impl ClassificationLoss for CrossEntropyLoss {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        match targets {
            Targets::Classes(labels_n) => self.forward_trusted(outputs_nk, labels_n),
            Targets::Probabilities(targets_nk) => self.forward_probabilities(outputs_nk, targets_nk),
        }
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.config.reduction.check_reduces(NAME)?;
        match targets {
            Targets::Classes(labels_n) => Ok(self.losses(outputs_nk, labels_n)?.0),
            Targets::Probabilities(targets_nk) => self.probability_losses(outputs_nk, targets_nk),
        }
    }

    fn weight(&self, label: usize) -> f64 {
        classes::weight_of(label, self.config.weight.as_ref(), self.config.ignore_index)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(self.config.reduction)
    }
}

/// `-log(softmax(logits)[target])`, gathering before the subtraction of `log(sum(exp))`: the same
/// arithmetic as log-softmax, with one column instead of all of them.
fn plain(targets: &FlatTargets, logits: Tensor<2>) -> Tensor<1> {
    let [count, _] = logits.dims();
    // The shift is outside the graph: it cancels in the gradient.
    let shifted = logits.clone() - logits.inner().max_dim(1);
    let log_sum = shifted.clone().exp().sum_dim(1).log().reshape([count]);
    log_sum - targets.pick(shifted)
}
