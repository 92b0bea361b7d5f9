//! What can be wrong with a loss call, in words that name the argument and both values.

use burn::tensor::{DType, ExecutionError};
use firebrick_component::ArgumentError;
use thiserror::Error;

/// Why a loss was refused. Nothing here is a panic: a wrong argument, shape, dtype or value always
/// comes back as one of these, before any arithmetic is done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LossError {
    /// An argument of the loss itself (`beta`, `weight[2]`, `reduction`, ..) has a value it cannot have.
    #[error("{loss}: argument `{}` must be {}, got {}", source.key, source.expected, source.got)]
    Argument {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// Which argument, what it may be, and what it is.
        source: ArgumentError,
    },

    /// A tensor does not have the shape that another one asks for. Losses never broadcast inputs.
    #[error(
        "{loss}: `{argument}` has shape {got:?}, expected {expected} to go with `{other}` of shape {other_shape:?}"
    )]
    Shape {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor that does not fit.
        argument: &'static str,
        /// The shape it has.
        got: Vec<usize>,
        /// The shape it should have.
        expected: String,
        /// The tensor (or argument) it has to fit.
        other: &'static str,
        /// The shape of that one.
        other_shape: Vec<usize>,
    },

    /// A tensor has a rank or a size that the loss cannot take at all.
    #[error("{loss}: `{argument}` has shape {got:?}, expected {expected}")]
    Rank {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor that does not fit.
        argument: &'static str,
        /// The shape it has.
        got: Vec<usize>,
        /// What it should be.
        expected: &'static str,
    },

    /// Two tensors that are combined have different element types.
    #[error("{loss}: `{argument}` is {got:?}, but `{other}` is {expected:?}; cast one of them")]
    DType {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor that does not fit.
        argument: &'static str,
        /// Its element type.
        got: DType,
        /// The tensor it has to fit.
        other: &'static str,
        /// The element type of that one.
        expected: DType,
    },

    /// A tensor given by name has an element type that the loss, or the device, cannot take.
    #[error("{loss}: `{argument}` is {got:?}, expected {expected}")]
    Kind {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor that does not fit.
        argument: &'static str,
        /// Its element type.
        got: DType,
        /// What it should be.
        expected: &'static str,
    },

    /// Two tensors that are combined are on different devices.
    #[error("{loss}: `{argument}` is on {got}, but `{other}` is on {expected}; move one of them")]
    Device {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor that does not fit.
        argument: &'static str,
        /// Where it is.
        got: String,
        /// The tensor it has to fit.
        other: &'static str,
        /// Where that one is.
        expected: String,
    },

    /// An element of a tensor has a value that the loss cannot take. Only the checking entry points
    /// (`forward`, `forward_unreduced`) find these, because finding them reads the device.
    #[error("{loss}: `{argument}` must hold {expected}, got {got} at index {index:?}")]
    Value {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor with the bad element.
        argument: &'static str,
        /// What its elements may be.
        expected: String,
        /// The first bad element.
        got: String,
        /// Where it is, one coordinate a dimension.
        index: Vec<usize>,
    },

    /// `reduction = "none"` gives one number an element, which does not fit a one-number result.
    #[error(
        "{loss}: argument `reduction` must be \"mean\" or \"sum\" to give one number, got \"none\"; call forward_unreduced, or choose another reduction"
    )]
    Unreduced {
        /// The loss, by its name in a config file.
        loss: &'static str,
    },

    /// The loss cannot train a classifier, which has outputs and the classes of its images and nothing else.
    #[error("{loss}: cannot train a classifier: it takes {takes}; use one of {usable}")]
    NotForClassifier {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The inputs that this loss takes.
        takes: String,
        /// The losses that can.
        usable: String,
    },

    /// The loss takes class indices, and a batch came with probabilities.
    #[error(
        "{loss}: takes class indices [N], and these targets are probabilities [N, K], as mixup makes them; use a loss that takes probabilities, such as cross_entropy"
    )]
    SoftTargets {
        /// The loss, by its name in a config file.
        loss: &'static str,
    },

    /// A loss of a program's own says neither how it trains a classifier nor how it is computed from arrays.
    #[error("{loss}: cannot be computed from arrays: it implements neither `classification` nor `evaluate`")]
    NotEvaluable {
        /// The loss, by its name in a config file.
        loss: &'static str,
    },

    /// An input that the loss needs was not given.
    #[error("{loss}: input `{input}` is missing; this loss takes {expected}")]
    MissingInput {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The input that is missing.
        input: &'static str,
        /// All inputs of this loss.
        expected: String,
    },

    /// An input was given that the loss does not have.
    #[error("{loss}: there is no input `{input}`; this loss takes {expected}")]
    UnknownInput {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The input that was given.
        input: String,
        /// All inputs of this loss.
        expected: String,
    },

    /// The device failed while a tensor was read back.
    #[error("{loss}: `{argument}` could not be read back from the device: {source}")]
    Read {
        /// The loss, by its name in a config file.
        loss: &'static str,
        /// The tensor that was read.
        argument: &'static str,
        /// What the device said.
        source: ExecutionError,
    },
}
