//! `metrics.jsonl`: the observer that writes one line a step and one an evaluation.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use firebrick_storage::{AppendFile, separate_from_links};

use crate::error::TrainError;
use crate::event::{Control, Event};
use crate::json::to_json;
use crate::observer::Observer;

/// An open `metrics.jsonl`.
pub(crate) struct MetricsFile {
    path: PathBuf,
    file: AppendFile,
    error: Option<TrainError>,
}

impl MetricsFile {
    /// Opens the file of the run in `run_dir`, or makes it, and cuts it to its first `bytes` bytes.
    pub(crate) fn open(run_dir: &Path, bytes: u64) -> Result<Self, TrainError> {
        let path = run_dir.join("metrics.jsonl");
        separate_from_links(&path)?;
        let file = AppendFile::open(&path, bytes)?;
        Ok(Self { path, file, error: None })
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// A second handle on the file, for whoever makes its lines durable. A checkpoint counts the file's bytes, so it must
    /// not be made where somebody else has written to its end.
    pub(crate) fn handle(&self) -> Result<AppendFile, TrainError> {
        self.file.check_alone()?;
        Ok(self.file.try_clone()?)
    }

    fn append(&mut self, event: &Event) -> Result<(), TrainError> {
        let mut line = to_json(&self.path, event, false)?;
        line.push(b'\n');
        Ok(self.file.append(&line)?)
    }
}

/// Whether these bytes of the `metrics.jsonl` in `run_dir` are whole lines, each an evaluation after `step`.
pub(crate) fn are_evaluations(run_dir: &Path, bytes: Range<u64>, step: u64) -> bool {
    let is_evaluation = |line: &str| {
        let record: Result<serde_json::Value, _> = serde_json::from_str(line);
        record.is_ok_and(|record| record["event"] == "eval" && record["step"] == step)
    };
    let text = read_part(&run_dir.join("metrics.jsonl"), bytes);
    text.is_ok_and(|text| text.ends_with('\n') && text.lines().all(is_evaluation))
}

fn read_part(path: &Path, bytes: Range<u64>) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(bytes.start))?;
    let mut text = String::new();
    file.take(bytes.end.saturating_sub(bytes.start)).read_to_string(&mut text)?;
    Ok(text)
}

impl Observer for MetricsFile {
    fn on_event(&mut self, event: &Event) -> Control {
        if let Event::Step(_) | Event::Refused(_) | Event::Eval(_) = event {
            self.error = self.append(event).err();
        }
        Control::Continue
    }

    fn take_error(&mut self) -> Option<TrainError> {
        self.error.take()
    }
}
