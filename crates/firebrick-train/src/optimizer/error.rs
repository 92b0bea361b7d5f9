//! What can be wrong with an optimiser's arguments, its parameter groups or its saved state.

use thiserror::Error;

use firebrick_component::ArgumentError;

/// An optimiser that cannot be built, bound to a model, saved or restored.
#[derive(Debug, Error)]
pub enum OptimizerError {
    /// An argument is outside its range.
    #[error("optimizer.{0}")]
    Argument(#[from] ArgumentError),
    /// A group's pattern matches nothing, most likely a misspelt name.
    #[error(
        "optimizer.groups[{index}]: match = {pattern:?} matches no trainable parameter: expected a pattern \
         (* is any text, ? any character) for at least one of {}",
        parameters.join(", ")
    )]
    UnmatchedGroup {
        /// Position in `groups`, from 0.
        index: usize,
        /// The pattern.
        pattern: String,
        /// Every trainable parameter of the model.
        parameters: Vec<String>,
    },
    /// There is nothing to train.
    #[error(
        "the model has no trainable parameter: expected at least one that requires a gradient; \
         is the model on a device with autodiff, and not wholly frozen?"
    )]
    NoParameters,
    /// State can only be checked against a known model.
    #[error("the optimizer does not know its model yet: call bind(&model) before load_state")]
    NotBound,
    /// The state was written by another optimiser.
    #[error(
        "the saved optimizer state is of {found:?}, the config says {expected:?}: \
         resume with the optimizer that the run began with"
    )]
    OtherOptimizer {
        /// The optimiser in use.
        expected: &'static str,
        /// The optimiser that wrote the state.
        found: String,
    },
    /// The state names other parameters, or other shapes, than the model has.
    #[error("the saved optimizer state does not fit the model: {}", problems.join("; "))]
    StateMismatch {
        /// Every difference.
        problems: Vec<String>,
    },
    /// The bytes are not a state that this program wrote.
    #[error("the optimizer state cannot be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// The state could not be turned into bytes.
    #[error("the optimizer state cannot be written: {reason}")]
    Unwritable {
        /// Why.
        reason: String,
    },
    /// The device would not give a tensor back.
    #[error("{tensor} cannot be read back from its device: {reason}")]
    Device {
        /// Which tensor.
        tensor: String,
        /// What the backend said.
        reason: String,
    },
}
