//! The end of a `metrics.jsonl`: which step its lines have come to. Only reads.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use firebrick_storage::StorageError;
use serde::Deserialize;

use crate::error::TrainError;

/// Longer than a few lines.
const TAIL_BYTES: u64 = 1 << 20;

/// What every line has.
#[derive(Deserialize)]
struct Line {
    step: u64,
}

/// The step of the last of the lines in the first `bytes` bytes of a file; nothing where the file is missing or
/// shorter, or where these bytes do not end with a whole line of a run.
pub(crate) fn step_at(metrics: &Path, bytes: u64) -> Result<Option<u64>, TrainError> {
    let Some(tail) = tail(metrics, Some(bytes))? else { return Ok(None) };
    Ok(if tail.ends_with(b"\n") { last_step(&tail) } else { None })
}

/// The step of the last whole line of a file; nothing where the file is missing or has no such line.
pub(crate) fn newest_step(metrics: &Path) -> Result<Option<u64>, TrainError> {
    Ok(whole_lines(metrics)?.and_then(|lines| last_step(&lines)))
}

/// Whether the last whole line of a file is none of a run.
pub(crate) fn ends_in_other_words(metrics: &Path) -> Result<bool, TrainError> {
    Ok(whole_lines(metrics)?.is_some_and(|lines| !lines.is_empty() && last_step(&lines).is_none()))
}

fn whole_lines(metrics: &Path) -> Result<Option<Vec<u8>>, TrainError> {
    let Some(mut tail) = tail(metrics, None)? else { return Ok(None) };
    tail.truncate(tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    Ok(Some(tail))
}

/// The length of a file in bytes; nothing where there is none.
pub(crate) fn length(metrics: &Path) -> Result<Option<u64>, TrainError> {
    match std::fs::metadata(metrics) {
        Ok(found) => Ok(Some(found.len())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(StorageError::io(metrics, "read", error).into()),
    }
}

fn tail(metrics: &Path, bytes: Option<u64>) -> Result<Option<Vec<u8>>, TrainError> {
    let Some(length) = length(metrics)? else { return Ok(None) };
    let end = bytes.unwrap_or(length);
    if end > length {
        return Ok(None);
    }
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(metrics)?;
        let begin = end.saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(begin))?;
        let mut tail = Vec::new();
        file.take(end - begin).read_to_end(&mut tail)?;
        Ok(tail)
    };
    read().map(Some).map_err(|error| StorageError::io(metrics, "read", error).into())
}

fn last_step(lines: &[u8]) -> Option<u64> {
    let last = lines.split(|byte| *byte == b'\n').rev().find(|line| !line.is_empty())?;
    serde_json::from_slice::<Line>(last).ok().map(|line| line.step)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_line_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert_eq!(newest_step(&path).unwrap(), None);
        let lines = "{\"event\":\"step\",\"step\":1}\n{\"event\":\"eval\",\"step\":2}\n";
        std::fs::write(&path, format!("{lines}{{\"event\":\"step\",\"st")).unwrap();
        assert_eq!(newest_step(&path).unwrap(), Some(2));
        assert_eq!(step_at(&path, lines.len() as u64).unwrap(), Some(2));
        assert_eq!(step_at(&path, 26).unwrap(), Some(1));
        assert_eq!(step_at(&path, 25).unwrap(), None, "half a line");
        assert_eq!(step_at(&path, 10_000).unwrap(), None, "beyond the end");
        std::fs::write(&path, "not of a run\n").unwrap();
        assert_eq!((newest_step(&path).unwrap(), step_at(&path, 13).unwrap()), (None, None));
        assert!(ends_in_other_words(&path).unwrap());
        std::fs::write(&path, format!("{lines}half a li")).unwrap();
        assert!(!ends_in_other_words(&path).unwrap());
    }
}
