//! From a document to any type that serde reads: every mistake is found with the place of its own key.

use std::fmt;
use std::sync::Arc;

use firebrick_component::{ArgumentError, ReadError, read};
use serde::de::DeserializeOwned;
use toml::Value;

use super::document::Document;
use super::error::ConfigError;
use super::places::Places;
use super::words::{self, Complaint};

/// A document and where each of its keys stands, kept beside what was read from it: whoever finds later that a value
/// does not fit can still say where it stands.
#[derive(Clone)]
pub(super) struct Origin(Arc<(Document, Places)>);

impl Origin {
    /// The error for an argument, whose key is its path in the document.
    pub fn refused(&self, error: &ArgumentError) -> ConfigError {
        self.placed(words::of_argument(error))
    }

    /// The error for the value at `path`, in the words of `message`.
    pub fn refused_at(&self, path: &str, message: String) -> ConfigError {
        self.placed(Complaint::about_value(path, message))
    }

    /// How the value at `path` is written, and whether an override gave it; none if it was left out.
    pub fn written(&self, path: &str) -> Option<(&str, bool)> {
        let (document, places) = &*self.0;
        places.shown(path).map(|shown| (shown, document.is_override(places.key(path).start)))
    }

    fn unreadable(&self, error: &ReadError) -> ConfigError {
        let (_, places) = &*self.0;
        self.placed(words::of_reading(error, places.shown(&error.path), &places.keys(&error.path)))
    }

    fn placed(&self, complaint: Complaint) -> ConfigError {
        let (document, places) = &*self.0;
        let Complaint { path, is_about_key, message, hint } = complaint;
        let span = if is_about_key { places.key(&path) } else { places.value(&path) };
        document.invalid(span, message, hint)
    }
}

/// Without the text, which is long.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

/// Reads a document and checks what was read.
pub(super) fn checked<T: DeserializeOwned>(
    document: Document,
    validate: impl FnOnce(&T) -> Result<(), ArgumentError>,
) -> Result<(T, Origin), ConfigError> {
    let (tables, places) = document.tables()?;
    let origin = Origin(Arc::new((document, places)));
    let value: T = read(Value::Table(tables)).map_err(|error| origin.unreadable(&error))?;
    validate(&value).map_err(|error| origin.refused(&error))?;
    Ok((value, origin))
}
