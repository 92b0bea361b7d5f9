//! What can be wrong with a config, said with its place.

use std::path::PathBuf;

use firebrick_component::text;
use thiserror::Error;

/// A config that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there or is not text.
    #[error("cannot read config {}: {source}", text::path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// Something in the text, or in a `--set`, is not as expected.
    #[error("{place}: {message}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Invalid {
        /// `file:line:column`, or the override.
        place: Box<str>,
        /// What is wrong: expected and got.
        message: Box<str>,
        /// How to mend it, if known.
        hint: Option<Box<str>>,
        /// The text of the file; empty if an override is at fault.
        text: Box<str>,
        /// Name of the text.
        name: Box<str>,
        /// Byte range of the offending part in `text`.
        span: std::ops::Range<usize>,
    },

    /// A wrong value in a config that was put together by a program, so that no text has a place for it.
    #[error("{message}")]
    Unplaced {
        /// What is wrong, with the path of its key.
        message: String,
    },

    /// `--set` without `key.path=VALUE`.
    #[error(
        "--set {}: expected key.path=VALUE, for example --set optimizer.lr=0.1",
        text::one_line(argument)
    )]
    Override {
        /// As given.
        argument: String,
    },

    /// A value that TOML cannot hold.
    #[error("cannot write the config as TOML: {message}")]
    Unwritable {
        /// What the writer said.
        message: String,
    },
}
