//! The one error for a wrong argument, and what is said of one that changes nothing.

use std::fmt::{self, Display};

use thiserror::Error;

use crate::text;

/// An argument with a value that its component cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: expected {expected}, got {got}")]
pub struct ArgumentError {
    /// Path of the argument from the component on, as in a config: `lr`, `betas[0]`, `warmup.epochs`.
    pub key: String,
    /// What it may be.
    pub expected: String,
    /// What it is, on one line and in few digits.
    pub got: String,
}

/// An argument that was given and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEffect {
    /// Path of the argument, as in [`ArgumentError`].
    pub key: String,
    /// Why.
    pub reason: String,
}

impl NoEffect {
    /// `key` has no effect, because `reason`.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }

    /// None if `has_effect`.
    pub fn unless(has_effect: bool, key: &str, reason: &str) -> Vec<Self> {
        if has_effect { Vec::new() } else { vec![Self::new(key, reason)] }
    }

    /// The same, seen from what holds the component under the key `parent`.
    #[must_use]
    pub fn within(mut self, parent: impl Display) -> Self {
        self.key = crate::read::join(&parent.to_string(), &self.key);
        self
    }
}

impl Display for NoEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has no effect: {}", self.key, self.reason)
    }
}

impl ArgumentError {
    /// The error for `key`.
    pub fn new(key: impl Into<String>, expected: impl Into<String>, got: impl Display) -> Self {
        Self { key: key.into(), expected: expected.into(), got: text::shown(&got.to_string()) }
    }

    /// The same error, seen from what holds the component under the key `parent`.
    #[must_use]
    pub fn within(mut self, parent: impl Display) -> Self {
        self.key = crate::read::join(&parent.to_string(), &self.key);
        self
    }
}
