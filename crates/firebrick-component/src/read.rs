//! Reading values whose errors say at which key.
//!
//! serde's own tagged enums collect a table before they know which variant it is, and lose the place of
//! whatever is wrong in it. Here a table is read as a plain TOML value first, and `serde_path_to_error`
//! follows the keys from there. An error that goes through serde's `Error::custom` on its way out of a nested
//! component keeps its path in its text, ``at `padding`: ..``, and the next [`read`] puts its own in front.

use std::fmt;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::strict::Strict;

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Path of keys from the value that was read to the wrong one: `layers[2].padding`; empty for the value itself.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl ReadError {
    /// An error at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same error, seen from what holds the value under the key `parent`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.path = join(parent, &self.path);
        self
    }

    /// The error that serde gave back for the value at `path`, with the path that its text may begin with.
    fn from_text(path: &str, text: &str) -> Self {
        let inner = text.strip_prefix("at `").and_then(|rest| rest.split_once("`: "));
        match inner {
            Some((inner, message)) => Self::new(join(path, inner), message),
            None => Self::new(path, text),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "at `{}`: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for ReadError {}

/// Two paths, one behind the other.
pub(crate) fn join(parent: &str, key: &str) -> String {
    match (parent.is_empty(), key.is_empty()) {
        (true, _) => key.to_owned(),
        (_, true) => parent.to_owned(),
        _ if key.starts_with('[') => format!("{parent}{key}"),
        _ => format!("{parent}.{key}"),
    }
}

/// Reads a value.
///
/// # Errors
///
/// [`ReadError`] with the path to what is wrong: an unknown key, a missing one (the path is its table's), a
/// wrong type.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, ReadError> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { path.as_str() };
        ReadError::from_text(path, error.inner().message())
    })
}

/// Takes `key` out of `table` and reads it; none if it is not there.
///
/// # Errors
///
/// As [`read`]; the path begins with `key`.
pub fn take<T: DeserializeOwned>(table: &mut Table, key: &str) -> Result<Option<T>, ReadError> {
    table.remove(key).map(|value| read(value).map_err(|error| error.within(key))).transpose()
}
