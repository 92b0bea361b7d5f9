//! CIFAR's Python files: a pickled dictionary with a byte array `data` of one row an image and a list of
//! labels. Read by [`crate::pickle`], which executes nothing.

use super::cifar_variant::SHAPE;
use super::container::StoredFile;
use super::records::Part;
use crate::error::DataError;
use crate::pickle::{Bytes, Pickle, PickleError};

/// The records of one file, with the labels of `labels_key`.
///
/// # Errors
/// [`DataError::Malformed`] when it is not such a pickle, or its parts do not fit together.
pub(super) fn part(file: StoredFile, labels_key: &str) -> Result<Part, DataError> {
    let StoredFile { path, bytes } = file;
    let parts = read_parts(&bytes, labels_key).map_err(|error| broken(&path, error))?;
    let (data, labels) = parts;
    let (bytes, first) = match data {
        Bytes::InFile(range) => (bytes, range.start),
        Bytes::Owned(decoded) => (decoded, 0),
    };
    Ok(Part { bytes, first, stride: SHAPE.len(), labels })
}

fn read_parts(bytes: &[u8], labels_key: &str) -> Result<(Bytes, Vec<u32>), PickleError> {
    let pickle = Pickle::read(bytes)?;
    let matrix = pickle.byte_matrix(pickle.entry(pickle.root(), "data")?)?;
    if matrix.columns != SHAPE.len() || matrix.rows == 0 {
        return Err(PickleError {
            offset: 0,
            expected: format!("`data` of 1 or more rows by {} columns", SHAPE.len()),
            got: format!("{} rows by {} columns", matrix.rows, matrix.columns),
        });
    }
    let labels = pickle.elements(pickle.entry(pickle.root(), labels_key)?)?;
    if labels.len() != matrix.rows {
        return Err(PickleError {
            offset: 0,
            expected: format!("{} `{labels_key}`, one for each row of `data`", matrix.rows),
            got: labels.len().to_string(),
        });
    }
    let byte = |(row, id): (usize, &_)| {
        let label = pickle.integer(*id)?;
        u8::try_from(label).map(u32::from).map_err(|_| PickleError {
            offset: 0,
            expected: format!("label of record {row} from 0 to 255"),
            got: label.to_string(),
        })
    };
    let labels = labels.iter().enumerate().map(byte).collect::<Result<_, _>>()?;
    Ok((matrix.data, labels))
}

/// The class names of a meta file.
///
/// # Errors
/// [`DataError::Malformed`] when it is not a pickled dictionary with a list of text under `names_key`.
pub(super) fn class_names(file: &StoredFile, names_key: &str) -> Result<Vec<String>, DataError> {
    read_names(&file.bytes, names_key).map_err(|error| broken(&file.path, error))
}

fn read_names(bytes: &[u8], names_key: &str) -> Result<Vec<String>, PickleError> {
    let pickle = Pickle::read(bytes)?;
    let names = pickle.elements(pickle.entry(pickle.root(), names_key)?)?;
    names.iter().map(|id| pickle.text(*id).map(str::to_owned)).collect()
}

fn broken(path: &std::path::Path, error: PickleError) -> DataError {
    DataError::malformed(
        path,
        format!("pickle, byte {}", error.offset),
        error.expected,
        error.got,
        "fetch the file again; pickles are never executed",
    )
}
