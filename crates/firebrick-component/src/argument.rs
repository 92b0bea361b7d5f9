//! The one error for a wrong argument.

use std::fmt::Display;

use thiserror::Error;

/// An argument with a value that its component cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: expected {expected}, got {got}")]
pub struct ArgumentError {
    /// Path of the argument from the component on, as in a config: `lr`, `betas[0]`, `warmup.epochs`.
    pub key: String,
    /// What it may be.
    pub expected: String,
    /// What it is.
    pub got: String,
}

impl ArgumentError {
    /// The error for `key`.
    pub fn new(key: impl Into<String>, expected: impl Into<String>, got: impl Display) -> Self {
        Self { key: key.into(), expected: expected.into(), got: got.to_string() }
    }

    /// The same error, seen from what holds the component under the key `parent`.
    #[must_use]
    pub fn within(mut self, parent: impl Display) -> Self {
        self.key = crate::read::join(&parent.to_string(), &self.key);
        self
    }
}
