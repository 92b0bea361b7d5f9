//! Small JSON files of a run, written and read to the last bit of every number.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use firebrick_storage::StorageError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;

/// None of our JSON files is larger.
const MAX_BYTES: u64 = 64 << 20;

pub(crate) fn to_json(path: &Path, value: &impl Serialize, pretty: bool) -> Result<Vec<u8>, TrainError> {
    let bytes = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    bytes.map_err(|error| TrainError::Checkpoint {
        path: path.to_owned(),
        message: format!("cannot be written as JSON: {error}"),
    })
}

/// Reads a small JSON file of a run, every number to its last bit.
///
/// By `json5`, not by `serde_json`: that one reads an `f64` up to one unit in the last place off unless its
/// feature `float_roundtrip` is on, and then a resumed run would take a tie for a new best.
pub(crate) fn from_json<T: DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
        .map_err(|source| StorageError::io(path, "read", source))?;
    json5::from_str(&text).map_err(|error| TrainError::Checkpoint {
        path: path.to_owned(),
        message: format!("is not what Firebrick writes: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used)]
    fn numbers_come_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.json");
        // Accuracies as evaluations give them: correct answers of 355.
        let written: Vec<f64> = (0..=355).map(|correct| f64::from(correct) / 355.0).collect();
        std::fs::write(&path, to_json(&path, &written, true).unwrap()).unwrap();
        assert_eq!(from_json::<Vec<f64>>(&path).unwrap(), written);
    }
}
