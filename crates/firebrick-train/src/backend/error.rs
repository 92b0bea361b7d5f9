//! Why a backend cannot be used.

use firebrick_component::text;
use firebrick_kernels::WrongVariable;
use thiserror::Error;

use super::entry::Entry;
use super::list::LIST;
use crate::closest::closest;

/// A backend that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BackendError {
    /// No such name.
    #[error("unknown backend `{got}`, expected {}{}", known(),
        suggestion.as_ref().map(|best| format!("; did you mean `{best}`?")).unwrap_or_default())]
    Unknown {
        /// As given.
        got: String,
        /// The closest known name.
        suggestion: Option<&'static str>,
    },
    /// The part after the colon is not a number.
    #[error("backend `{got}`: expected a device number after the colon, as in `{name}:0`")]
    Index {
        /// As given.
        got: String,
        /// The part before the colon.
        name: &'static str,
    },
    /// The Cargo feature was off.
    #[error(
        "backend `{name}` is not part of this build (it has {}); build with `--features {name}`",
        compiled()
    )]
    NotCompiled {
        /// Which backend.
        name: &'static str,
    },
    /// Nothing to run on.
    #[error("backend `{name}` finds no device on this machine; {hint}")]
    NoDevice {
        /// Which backend.
        name: &'static str,
        /// How to mend it.
        hint: &'static str,
    },
    /// An environment variable of the kernels has a value that it cannot have.
    #[error(
        "environment variable {variable}: expected {expected}, got `{}`; correct it, or unset it",
        text::one_line(got)
    )]
    Environment {
        /// Its name.
        variable: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Fewer devices than asked for.
    #[error("backend `{name}` has {count} device(s), got index {index}; see `firebrick devices`")]
    NoSuchDevice {
        /// Which backend.
        name: &'static str,
        /// How many it has.
        count: usize,
        /// What was asked for.
        index: usize,
    },
    /// A build without any CPU backend, on a machine without GPU.
    #[error("no backend of this build ({}) can run here; build with a CPU backend, one of {}", compiled(),
        listed(LIST.iter().filter(|entry| entry.is_deterministic)))]
    NothingUsable,
}

impl BackendError {
    /// No backend is called `name`, the part of `got` before the colon.
    pub(super) fn unknown(got: &str, name: &str) -> Self {
        let names = LIST.iter().map(|entry| entry.name).chain(["auto"]);
        Self::Unknown { got: got.to_owned(), suggestion: closest(name, names) }
    }
}

impl From<WrongVariable> for BackendError {
    fn from(WrongVariable { variable, expected, got }: WrongVariable) -> Self {
        Self::Environment { variable, expected, got }
    }
}

/// What may be written in a config.
pub(crate) fn known() -> String {
    format!("`auto` or one of {}", listed(LIST.iter()))
}

fn compiled() -> String {
    listed(LIST.iter().filter(|entry| entry.is_compiled))
}

fn listed<'a>(entries: impl Iterator<Item = &'a &'static Entry>) -> String {
    entries.map(|entry| format!("`{}`", entry.name)).collect::<Vec<_>>().join(", ")
}
