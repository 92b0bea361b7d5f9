//! The lines of a list.

use std::path::Path;

use firebrick_component::text;
use firebrick_storage::read_bounded;
use serde_json::{Map, Value};

use crate::error::DataError;
use crate::source::classes::MAX_NAME_BYTES;

/// The largest list, in bytes.
const MAX_LIST_BYTES: u64 = 1 << 30;
/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 4096;

/// How a list's lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Values with this byte between them.
    Separated(u8),
    /// A JSON object.
    Json,
}

/// What a list says of an image.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// The line, from 1.
    pub(super) line: u64,
    pub(super) path: String,
    pub(super) label: String,
    pub(super) split: Option<String>,
}

/// The images of the list `path`; `columns` are the names for path, label and split, of which the last may be missing.
///
/// # Errors
/// [`DataError::Malformed`] with the line; [`DataError::Storage`].
pub(super) fn read_rows(path: &Path, form: Form, columns: [&str; 3]) -> Result<Vec<Row>, DataError> {
    let bytes = read_bounded(path, MAX_LIST_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let place = format!("byte {}", error.valid_up_to());
        DataError::malformed(path, place, "text in UTF-8", "other bytes", "save the list as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match form {
        Form::Separated(separator) => table(path, text, separator, columns),
        Form::Json => objects(path, text, columns),
    }
}

fn bad(path: &Path, line: u64, expected: &str, got: &str) -> DataError {
    let got = text::one_line(got);
    DataError::malformed(path, format!("line {line}"), expected, got, "mend the list")
}

fn table(path: &Path, text: &str, separator: u8, columns: [&str; 3]) -> Result<Vec<Row>, DataError> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        bad(path, line, "values in the columns that line 1 names", &error.to_string())
    };
    let header = reader.headers().map_err(broken)?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let required = |name: &str, key: &str| {
        place(name).ok_or_else(|| {
            let names: Vec<&str> = header.iter().take(12).collect();
            let expected = format!("a column `{name}` (data.dataset's argument `{key}` says another)");
            bad(path, 1, &expected, &names.join(", "))
        })
    };
    let places = [required(columns[0], "path_column")?, required(columns[1], "label_column")?];
    let split = place(columns[2]);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let value = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let [image, label] = places.map(value);
        rows.push(Row { line, path: image, label, split: split.map(value) });
        check(path, rows.last(), columns)?;
    }
    Ok(rows)
}

fn objects(path: &Path, text: &str, columns: [&str; 3]) -> Result<Vec<Row>, DataError> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| bad(path, line, "a JSON object", &error.to_string()))?;
        let value = |name: &str| match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            Some(_) => Err(bad(path, line, &format!("text or a whole number as `{name}`"), "something else")),
        };
        let required = |name: &str| {
            let names = || object.keys().take(12).cloned().collect::<Vec<_>>().join(", ");
            value(name)?.ok_or_else(|| bad(path, line, &format!("a key `{name}`"), &names()))
        };
        let (image, label) = (required(columns[0])?, required(columns[1])?);
        rows.push(Row { line, path: image, label, split: value(columns[2])? });
        check(path, rows.last(), columns)?;
    }
    Ok(rows)
}

/// Nothing empty, nothing endless.
fn check(path: &Path, row: Option<&Row>, columns: [&str; 3]) -> Result<(), DataError> {
    let Some(row) = row else { return Ok(()) };
    for (name, value, longest) in
        [(columns[0], &row.path, MAX_PATH_BYTES), (columns[1], &row.label, MAX_NAME_BYTES)]
    {
        if value.is_empty() || value.len() > longest {
            let expected = format!("1 to {longest} bytes in `{name}`");
            return Err(bad(path, row.line, &expected, &format!("{} bytes", value.len())));
        }
    }
    Ok(())
}
