//! One loss on plain arrays, by name: what `firebrick loss` and the golden tests run.
//!
//! Everything that could panic in Burn is refused here first: ranks, element types the device does
//! not have, integers that do not fit the device's.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::evaluate_session::Session;
use crate::{LossConfig, LossError, Reduction};

/// Inputs by name, as [`LossConfig::inputs`] lists them.
pub type Inputs = BTreeMap<String, TensorData>;

/// What a loss gave.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The loss: shape `[]` when reduced, otherwise the shape that torch gives.
    pub output: TensorData,
    /// The gradient of the sum of `output` with respect to each differentiable input; empty unless
    /// asked for.
    pub gradients: BTreeMap<String, TensorData>,
}

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Numbers: f64, f32, f16 or bf16.
    Float,
    /// Integers: class indices or lengths.
    Index,
    /// Either: class indices, or probabilities in the shape of the input.
    FloatOrIndex,
}

/// One input of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSlot {
    /// torch's name of the argument.
    pub name: &'static str,
    /// What it holds.
    pub kind: InputKind,
    /// Whether [`evaluate`] gives its gradient.
    pub has_gradient: bool,
}

const fn learned(name: &'static str) -> InputSlot {
    InputSlot { name, kind: InputKind::Float, has_gradient: true }
}

const fn given(name: &'static str, kind: InputKind) -> InputSlot {
    InputSlot { name, kind, has_gradient: false }
}

impl LossConfig {
    /// The inputs of this loss, in the order of torch's `forward`.
    pub fn inputs(&self) -> &'static [InputSlot] {
        use InputKind::{Float, FloatOrIndex, Index};
        match self {
            Self::CrossEntropy(_) => const { &[learned("input"), given("target", FloatOrIndex)] },
            Self::Nll(_) | Self::MultiMargin(_) | Self::MultilabelMargin(_) | Self::Focal(_) => {
                const { &[learned("input"), given("target", Index)] }
            }
            Self::GaussianNll(_) => const { &[learned("input"), given("target", Float), learned("var")] },
            Self::CosineEmbedding(_) | Self::MarginRanking(_) => {
                const { &[learned("input1"), learned("input2"), given("target", Float)] }
            }
            Self::TripletMargin(_) => {
                const { &[learned("anchor"), learned("positive"), learned("negative")] }
            }
            Self::Ctc(_) => {
                const {
                    &[
                        learned("log_probs"),
                        given("targets", Index),
                        given("input_lengths", Index),
                        given("target_lengths", Index),
                    ]
                }
            }
            _ => const { &[learned("input"), given("target", Float)] },
        }
    }
}

/// Runs a body with the constant `$rank` set to a rank known at run time.
macro_rules! with_rank {
    ($session:expr, $input:literal, $rank:ident => $body:expr) => {
        match $session.rank($input)? {
            0 | 1 => {
                const $rank: usize = 1;
                $body
            }
            2 => {
                const $rank: usize = 2;
                $body
            }
            3 => {
                const $rank: usize = 3;
                $body
            }
            4 => {
                const $rank: usize = 4;
                $body
            }
            5 => {
                const $rank: usize = 5;
                $body
            }
            6 => {
                const $rank: usize = 6;
                $body
            }
            _ => Err($session.rank_error($input, "at most 6 dimensions")),
        }
    };
}

/// Calls `forward` or `forward_unreduced`, as the reduction says, and reads the results.
macro_rules! run {
    ($session:expr, $loss:expr, $reduction:expr, $shape:expr, $($input:expr),+) => {
        if $reduction == Reduction::None {
            let losses = $loss.forward_unreduced($($input),+)?;
            $session.finish(losses, $shape)
        } else {
            let loss = $loss.forward($($input),+)?;
            $session.finish(loss, Vec::new())
        }
    };
}

/// Runs a loss on arrays and gives its output and, with `backward`, the gradients.
///
/// Arrays of shape `[]` are single numbers, and one sample without a batch dimension is taken where
/// torch takes it.
///
/// # Errors
///
/// If the arguments are wrong, an input is missing or unknown, or anything the loss itself refuses.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, TensorData};
/// use firebrick_loss::{Inputs, LossConfig, evaluate};
///
/// let loss = LossConfig::default_named("l1").ok_or("no such loss")?;
/// let inputs = Inputs::from([
///     ("input".to_owned(), TensorData::from([1.0f32, 2.0])),
///     ("target".to_owned(), TensorData::from([0.0f32, 5.0])),
/// ]);
/// let result = evaluate(&loss, &inputs, true, &Device::flex())?;
/// assert_eq!(result.output.try_to_vec::<f32>()?, [2.0]);
/// assert_eq!(result.gradients["input"].try_to_vec::<f32>()?, [0.5, -0.5]);
/// # Ok(())
/// # }
/// ```
pub fn evaluate(
    config: &LossConfig,
    inputs: &Inputs,
    backward: bool,
    device: &Device,
) -> Result<Evaluation, LossError> {
    config.validate()?;
    let session = Session::new(config, inputs, backward, device)?;
    match config {
        LossConfig::GaussianNll(_) | LossConfig::MarginRanking(_) => three_tensors(config, session),
        LossConfig::CrossEntropy(_) | LossConfig::Nll(_) | LossConfig::Focal(_) => {
            over_classes(config, session)
        }
        LossConfig::CosineEmbedding(_)
        | LossConfig::MultiMargin(_)
        | LossConfig::MultilabelMargin(_)
        | LossConfig::MultilabelSoftMargin(_)
        | LossConfig::TripletMargin(_) => over_rows(config, session),
        LossConfig::Ctc(_) => ctc(config, session),
        _ => elementwise(config, session),
    }
}

/// Losses of an input and a target of the same shape.
fn elementwise(config: &LossConfig, mut session: Session) -> Result<Evaluation, LossError> {
    let reduction = config.reduction();
    let shape = session.shape("input")?;
    macro_rules! pair {
        ($config:expr) => {
            with_rank!(session, "input", D => {
                let loss = $config.init()?;
                let input: Tensor<D> = session.float("input", "input")?;
                let target: Tensor<D> = session.float("target", "input")?;
                run!(session, loss, reduction, shape, input, target)
            })
        };
    }
    match config {
        LossConfig::L1(config) => pair!(config),
        LossConfig::Mse(config) => pair!(config),
        LossConfig::SmoothL1(config) => pair!(config),
        LossConfig::Huber(config) => pair!(config),
        LossConfig::Bce(config) => pair!(config),
        LossConfig::BceWithLogits(config) => pair!(config),
        LossConfig::KlDiv(config) => pair!(config),
        LossConfig::PoissonNll(config) => pair!(config),
        LossConfig::HingeEmbedding(config) => pair!(config),
        LossConfig::SoftMargin(config) => pair!(config),
        LossConfig::SigmoidFocal(config) => pair!(config),
        other => Err(session.not_here(other)),
    }
}

/// Losses of three tensors of the same shape, or nearly so.
fn three_tensors(config: &LossConfig, mut session: Session) -> Result<Evaluation, LossError> {
    let reduction = config.reduction();
    match config {
        LossConfig::MarginRanking(config) => {
            let shape = session.shape("input1")?;
            with_rank!(session, "input1", D => {
                let loss = config.init()?;
                let input1: Tensor<D> = session.float("input1", "input1")?;
                let input2: Tensor<D> = session.float("input2", "input1")?;
                let target: Tensor<D> = session.float("target", "input1")?;
                run!(session, loss, reduction, shape, input1, input2, target)
            })
        }
        LossConfig::GaussianNll(config) => {
            let shape = session.shape("input")?;
            let is_per_row = session.rank("var")? + 1 == shape.len();
            with_rank!(session, "input", D => {
                let loss = config.init()?;
                let input: Tensor<D> = session.float("input", "input")?;
                let target: Tensor<D> = session.float("target", "input")?;
                let var: Tensor<D> = if is_per_row {
                    session.float_with_last_dimension("var")?
                } else {
                    session.float("var", "input")?
                };
                run!(session, loss, reduction, shape, input, target, var)
            })
        }
        other => Err(session.not_here(other)),
    }
}

/// Losses of `[N, C, d1, ..]` and class indices, or probabilities.
fn over_classes(config: &LossConfig, session: Session) -> Result<Evaluation, LossError> {
    match session.rank("input")? {
        0 => Err(session.rank_error("input", "a dimension of classes")),
        1 => over_classes_of::<1, 1>(config, session),
        2 => over_classes_of::<2, 1>(config, session),
        3 => over_classes_of::<3, 2>(config, session),
        4 => over_classes_of::<4, 3>(config, session),
        5 => over_classes_of::<5, 4>(config, session),
        6 => over_classes_of::<6, 5>(config, session),
        _ => Err(session.rank_error("input", "at most 6 dimensions")),
    }
}

fn over_classes_of<const D: usize, const T: usize>(
    config: &LossConfig,
    mut session: Session,
) -> Result<Evaluation, LossError> {
    let reduction = config.reduction();
    let input: Tensor<D> = session.float("input", "input")?;
    let mut shape = session.shape("input")?;
    shape.remove(usize::from(D > 1));
    if let LossConfig::CrossEntropy(config) = config
        && session.is_float("target")?
    {
        let loss = config.init()?;
        let target: Tensor<D> = session.float("target", "input")?;
        if reduction == Reduction::None {
            let losses: Tensor<T> = loss.forward_probabilities_unreduced(input, target)?;
            return session.finish(losses, shape);
        }
        let loss = loss.forward_probabilities(input, target)?;
        return session.finish(loss, Vec::new());
    }
    let target: Tensor<T, Int> = session.index("target", "input", &input.dims())?;
    match config {
        LossConfig::CrossEntropy(config) => {
            run!(session, config.init()?, reduction, shape, input, target)
        }
        LossConfig::Nll(config) => {
            run!(session, config.init()?, reduction, shape, input, target)
        }
        LossConfig::Focal(config) => {
            run!(session, config.init()?, reduction, shape, input, target)
        }
        other => Err(session.not_here(other)),
    }
}

/// Losses of rows `[N, C]`, one number a row; one row may come without its batch dimension.
fn over_rows(config: &LossConfig, mut session: Session) -> Result<Evaluation, LossError> {
    let reduction = config.reduction();
    let first = config.inputs()[0].name;
    let mut shape = session.shape(first)?;
    shape.pop();
    match config {
        LossConfig::CosineEmbedding(config) => {
            let input1 = session.rows("input1", "input1")?;
            let input2 = session.rows("input2", "input1")?;
            let target = session.float_of_rows("target", "input1", &input1.dims())?;
            run!(session, config.init()?, reduction, shape, input1, input2, target)
        }
        LossConfig::MultiMargin(config) => {
            let input = session.rows("input", "input")?;
            let target = session.index::<1>("target", "input", &input.dims())?;
            run!(session, config.init()?, reduction, shape, input, target)
        }
        LossConfig::MultilabelMargin(config) => {
            let input = session.rows("input", "input")?;
            let target = session.index_rows("target", "input")?;
            run!(session, config.init()?, reduction, shape, input, target)
        }
        LossConfig::MultilabelSoftMargin(config) => {
            let input = session.rows("input", "input")?;
            let target = session.rows("target", "input")?;
            run!(session, config.init()?, reduction, shape, input, target)
        }
        LossConfig::TripletMargin(config) => {
            let anchor = session.rows("anchor", "anchor")?;
            let positive = session.rows("positive", "anchor")?;
            let negative = session.rows("negative", "anchor")?;
            run!(session, config.init()?, reduction, shape, anchor, positive, negative)
        }
        other => Err(session.not_here(other)),
    }
}

/// CTC, also of one sample without its batch dimension and of targets in one concatenated row.
fn ctc(config: &LossConfig, mut session: Session) -> Result<Evaluation, LossError> {
    let LossConfig::Ctc(config) = config else {
        return Err(session.not_here(config));
    };
    let loss = config.init()?;
    let log_probs = session.sequences("log_probs")?;
    let input_lengths = session.lengths("input_lengths")?;
    let target_lengths = session.lengths("target_lengths")?;
    let targets = session.padded("targets", &target_lengths, log_probs.dims()[1])?;
    let shape = match session.rank("log_probs")? {
        2 => Vec::new(),
        _ => vec![log_probs.dims()[1]],
    };
    let (inputs, targets_of) = (&input_lengths[..], &target_lengths[..]);
    run!(session, loss, config.reduction, shape, log_probs, targets, inputs, targets_of)
}
