//! Connectionist temporal classification: `torch.nn.CTCLoss`. Ours: Burn's gradient is the plain
//! derivative on some backends and torch's on others, its mean divides by zero for an empty target,
//! and lengths are checked in debug builds only. The recursions are in `ctc_recursion.rs`.

use burn::tensor::{Int, Tensor};
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::ctc_recursion::{self, Alignment};
use crate::error::LossError;
use crate::loss::Loss;
use crate::reduction::Reduction;
use crate::session::ranks::run;
use crate::session::{Evaluation, InputKind, InputSlot, Session};
use crate::{check, classes, numeric};

const NAME: &str = "ctc";

/// Arguments of [`CtcLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CtcLossConfig {
    /// The class that stands for "no label". Default 0.
    pub blank: i64,
    /// Whether an infinite loss (a target that does not fit its input) counts as 0, without a
    /// gradient. Default false.
    pub zero_infinity: bool,
    /// How the samples' losses become one number. Default `mean`: the mean over the batch of each
    /// loss divided by its target's length (at least 1).
    pub reduction: Reduction,
}

impl Component for CtcLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.blank >= 0, "blank", self.blank, "a class, 0 or above")?;
        self.reduction.validate()
    }
}

impl Loss for CtcLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.CTCLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn inputs(&self) -> &'static [InputSlot] {
        const {
            &[
                InputSlot::differentiable("log_probs"),
                InputSlot::constant("targets", InputKind::Index),
                InputSlot::constant("input_lengths", InputKind::Index),
                InputSlot::constant("target_lengths", InputKind::Index),
            ]
        }
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let loss = self.init()?;
        let log_probs = session.sequences("log_probs")?;
        let [_, batch, _] = log_probs.dims();
        let input_lengths = session.lengths("input_lengths")?;
        let target_lengths = session.lengths("target_lengths")?;
        let targets = session.padded("targets", "log_probs", &target_lengths, batch)?;
        let shape = if session.rank("log_probs") == 2 { Vec::new() } else { vec![batch] };
        let (input_lengths, target_lengths) = (&input_lengths[..], &target_lengths[..]);
        run!(session, loss, self.reduction, shape, log_probs, targets, input_lengths, target_lengths)
    }
}

impl CtcLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `blank` is negative, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<CtcLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(CtcLoss { config: self.clone() })
    }
}

/// `loss = -log(sum over alignments of the product over t of exp(log_probs[t, n, symbol]))`: the
/// probability of a target under all ways to stretch it over the input with blanks and repeats.
///
/// The gradient is torch's: `exp(log_probs) - posterior`, which takes the `log_softmax` in front of
/// the loss for granted. It is the derivative with respect to the logits, not with respect to
/// `log_probs` alone (where it differs by `exp(log_probs)`, which `log_softmax` cancels). As in
/// torch it is NaN for a sample with an infinite loss, unless `zero_infinity` is set.
///
/// # Shapes
///
/// `log_probs` `[T, N, C]` (the logarithms of probabilities), `targets` `[N, S]` padded with
/// anything, `input_lengths` and `target_lengths` one number a sample; unreduced `[N]`. Lengths are
/// plain numbers: they are known where the batch is made, and so nothing has to be read back for
/// them.
///
/// # Source
///
/// `torch.nn.CTCLoss`; Graves et al., "Connectionist Temporal Classification" (2006), section 4.1,
/// equations 6 to 16, pages 4 and 5.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Int, Tensor};
/// use firebrick_loss::CtcLossConfig;
///
/// let device = Device::flex();
/// // Two steps, two classes (0 is the blank), each with probability 1/2.
/// let log_probs = Tensor::<3>::zeros([2, 1, 2], &device).sub_scalar(std::f64::consts::LN_2);
/// let targets = Tensor::<2, Int>::from_ints([[1]], &device);
/// let loss = CtcLossConfig::default().init()?.forward(log_probs, targets, &[2], &[1])?;
/// // Three of the four alignments spell "1": 1-, -1, 11. -log(3/4) = 0.2877
/// assert!((loss.into_scalar::<f32>() - 0.287_682_1).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CtcLoss {
    config: CtcLossConfig,
}

impl CtcLoss {
    /// The reduced loss, shape `[1]`. Reads the targets back to refuse classes that do not exist.
    ///
    /// # Errors
    ///
    /// If shapes or devices do not fit, a length is larger than its tensor, a target within its
    /// length is outside `0..C`, `blank` is outside `0..C`, or `reduction` is `none`.
    pub fn forward(
        &self,
        log_probs: Tensor<3>,
        targets: Tensor<2, Int>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(log_probs, targets, input_lengths, target_lengths)?;
        self.reduce(losses, target_lengths)
    }

    /// The reduced loss for targets that were checked when they were read: checks shapes, lengths and
    /// devices only and never waits for the device.
    ///
    /// # Errors
    ///
    /// If shapes or devices do not fit, a length is larger than its tensor, `blank` is outside
    /// `0..C`, or `reduction` is `none`.
    pub fn forward_trusted(
        &self,
        log_probs: Tensor<3>,
        targets: Tensor<2, Int>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<Tensor<1>, LossError> {
        self.check_shapes(&log_probs, &targets, input_lengths, target_lengths)?;
        let losses = self.losses(log_probs, targets, input_lengths, target_lengths);
        self.reduce(losses, target_lengths)
    }

    /// The loss of each sample, whatever `reduction` says. Reads the targets back.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward), but for `reduction`.
    pub fn forward_unreduced(
        &self,
        log_probs: Tensor<3>,
        targets: Tensor<2, Int>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<Tensor<1>, LossError> {
        self.check_shapes(&log_probs, &targets, input_lengths, target_lengths)?;
        check_values(&targets, target_lengths, log_probs.dims()[2])?;
        Ok(self.losses(log_probs, targets, input_lengths, target_lengths))
    }

    fn check_shapes(
        &self,
        log_probs: &Tensor<3>,
        targets: &Tensor<2, Int>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<(), LossError> {
        let [steps, batch, classes] = log_probs.dims();
        let [rows, width] = targets.dims();
        let of_batch = |argument, got: &[usize], expected: String| {
            check::shape(NAME, (argument, got), expected, ("log_probs", &log_probs.dims()))
        };
        check::not_empty(NAME, "log_probs", &log_probs.dims())?;
        if rows != batch {
            return Err(of_batch("targets", &[rows, width], format!("[{batch}, longest target]")));
        }
        for (name, lengths) in [("input_lengths", input_lengths), ("target_lengths", target_lengths)] {
            if lengths.len() != batch {
                return Err(of_batch(name, &[lengths.len()], format!("[{batch}]")));
            }
        }
        check_lengths("input_lengths", input_lengths, "log_probs", steps)?;
        check_lengths("target_lengths", target_lengths, "targets", width)?;
        if self.config.blank >= classes as i64 {
            let expected = format!("one of the {classes} classes of `log_probs`");
            let source = ArgumentError::new("blank", expected, self.config.blank);
            return Err(LossError::Argument { loss: NAME, source });
        }
        check::same_device(NAME, ("log_probs", log_probs), ("targets", targets))
    }

    fn losses(
        &self,
        log_probs: Tensor<3>,
        targets: Tensor<2, Int>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Tensor<1> {
        let [batch, width] = targets.dims();
        let targets = match width {
            // Only empty targets: one column of padding, which the lengths leave out.
            0 => Tensor::zeros([batch, 1], &targets.device()),
            _ => classes::flat_indices(targets).reshape([batch, width]),
        };
        let alignment = Alignment::new(
            log_probs.clone().inner(),
            targets,
            input_lengths,
            target_lengths,
            self.config.blank,
        );
        let alpha = alignment.alpha();
        let mut losses = alignment.losses(&alpha);
        let infinite = losses.clone().equal_scalar(f64::INFINITY);
        if self.config.zero_infinity {
            losses = losses.mask_fill(infinite.clone(), 0.0);
        }
        if !log_probs.is_tracked() {
            return losses;
        }
        let mut gradient = alignment.gradient(&alpha, losses.clone());
        if self.config.zero_infinity {
            let cube = gradient.dims();
            let mask = infinite.reshape([1, batch, 1]).expand(cube);
            gradient = gradient.mask_fill(mask, 0.0);
        }
        ctc_recursion::attach(losses, log_probs, gradient)
    }

    fn reduce(&self, losses: Tensor<1>, target_lengths: &[usize]) -> Result<Tensor<1>, LossError> {
        if self.config.reduction != Reduction::Mean {
            return self.config.reduction.reduce(NAME, losses);
        }
        let shares: Vec<f64> = target_lengths.iter().map(|&length| 1.0 / length.max(1) as f64).collect();
        let shares = numeric::constant(&shares, [target_lengths.len()], &losses);
        Ok((losses * shares).mean())
    }
}

fn check_lengths(
    argument: &'static str,
    lengths: &[usize],
    tensor: &'static str,
    longest: usize,
) -> Result<(), LossError> {
    match lengths.iter().position(|&length| length > longest) {
        None => Ok(()),
        Some(index) => Err(LossError::Value {
            loss: NAME,
            argument,
            expected: format!("lengths of at most {longest}, the size of `{tensor}`"),
            got: lengths[index].to_string(),
            index: vec![index],
        }),
    }
}

/// Each target within its length must be a class; what follows is padding.
fn check_values(targets: &Tensor<2, Int>, lengths: &[usize], num_classes: usize) -> Result<(), LossError> {
    let width = targets.dims()[1];
    let values = check::read_integers(NAME, "targets", targets)?;
    for (row, &length) in lengths.iter().enumerate() {
        for column in 0..length {
            let class = values[row * width + column];
            if !(0..num_classes as i64).contains(&class) {
                return Err(LossError::Value {
                    loss: NAME,
                    argument: "targets",
                    expected: format!("classes in 0..={}", num_classes as i64 - 1),
                    got: class.to_string(),
                    index: vec![row, column],
                });
            }
        }
    }
    Ok(())
}
