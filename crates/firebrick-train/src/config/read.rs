//! From a document to any type that serde reads: every mistake is found with the place of its own key.

use firebrick_component::{ArgumentError, read};
use serde::de::DeserializeOwned;
use toml::Value;

use super::document::Document;
use super::error::ConfigError;
use super::words::{self, Complaint};

/// Reads a document and checks what was read.
pub(super) fn checked<T: DeserializeOwned>(
    document: &Document,
    validate: impl FnOnce(&T) -> Result<(), ArgumentError>,
) -> Result<T, ConfigError> {
    let (tables, places) = document.tables()?;
    let placed = |complaint: Complaint| {
        let Complaint { path, is_about_key, message, hint } = complaint;
        let span = if is_about_key { places.key(&path) } else { places.value(&path) };
        document.invalid(span, message, hint)
    };
    let value: T = read(Value::Table(tables))
        .map_err(|error| placed(words::of_reading(&error, places.shown(&error.path))))?;
    validate(&value).map_err(|error| placed(words::of_argument(&error)))?;
    Ok(value)
}
