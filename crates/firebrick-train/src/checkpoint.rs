//! Checkpoints: everything a run needs to go on, in a folder that counts only as a whole.
//!
//! `checkpoints/step-000000782/` holds `model.bpk`, `optimizer.bpk`, `state.json` and, written
//! last, `MANIFEST.json`; the folder gets its name by a rename. `LATEST` and `BEST` are one-line
//! files renamed into place. A reader trusts a folder only after its manifest has verified.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device};
use firebrick_data::{DatasetInfo, Preprocess};
use firebrick_storage::{
    StorageError, commit_folder, read_bounded, remove_leftovers, verify_folder, write_atomic,
};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::event::{Best, Score};
use crate::optimizer::{Optimizer, OptimizerState};
use crate::run_folder::{from_json, to_json};
use crate::schedule::ScheduleState;

const FORMAT_VERSION: u32 = 1;
const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const STATE: &str = "state.json";
/// Names the newest checkpoint.
pub const LATEST: &str = "LATEST";
/// Names the checkpoint with the best evaluation.
pub const BEST: &str = "BEST";
/// A network that needs more than this has outgrown the format.
const MAX_FILE_BYTES: u64 = 64 << 30;

/// How far a run is. Counts of finished things, so the next batch is `batch` of epoch `epoch`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Finished optimiser steps.
    pub step: u64,
    /// Finished epochs.
    pub epoch: u64,
    /// Finished batches of the epoch after those.
    pub batch: u64,
}

/// `state.json`: what a run knows beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of this layout.
    pub format_version: u32,
    /// How far the run is.
    pub position: Position,
    /// The best evaluation so far.
    pub best: Option<Best>,
    /// The last evaluation.
    pub last: Option<Score>,
    /// A stop interrupted the evaluation that belongs to this position.
    pub evaluation_due: bool,
    /// Length of `metrics.jsonl`, in bytes.
    pub metrics_bytes: u64,
    /// Images trained on.
    pub images: u64,
    /// Time spent training, evaluation and saving not counted, in seconds.
    pub training_seconds: f64,
    /// State of a schedule that listens to the metric; empty for the others.
    pub schedule: ScheduleState,
    /// SHA-256 of the weights, as in `summary.json`.
    pub weights_sha256: String,
    /// The resolved config, as TOML.
    pub config: String,
    /// What the run is trained on.
    pub dataset: DatasetInfo,
    /// How an image becomes the network's input.
    pub preprocess: Preprocess,
}

/// A checkpoint that has been read and verified.
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// What is known beside the tensors.
    pub state: State,
    model: ModuleRecord,
}

/// Name of the folder for a step; sorts by number.
pub fn folder_name(step: u64) -> String {
    format!("step-{step:09}")
}

/// Writes a checkpoint, in place of one of the same step if there is any, below `checkpoints`, points `LATEST` (and `BEST`, when `is_best`) to it and
/// removes old ones beyond `keep_last`, never the best.
///
/// # Failure
///
/// Until the folder is renamed into place, every earlier checkpoint and pointer is untouched.
pub(crate) fn save<M: Module>(
    checkpoints: &Path,
    model: &M,
    optimizer: &Optimizer,
    state: &State,
    is_best: bool,
    keep_last: usize,
) -> Result<PathBuf, TrainError> {
    let name = folder_name(state.position.step);
    let state_bytes = to_json(&checkpoints.join(&name).join(STATE), state, true)?;
    let path = checkpoints.join(&name);
    let record = model.valid().into_record();
    commit_folder(checkpoints, &name, |folder| {
        let file = folder.join(MODEL);
        let bytes = record.into_bytes().map_err(|error| StorageError::contents(&file, error))?;
        write_plain(&file, &bytes)?;
        let file = folder.join(OPTIMIZER);
        let bytes = optimizer
            .state()
            .and_then(|state| state.to_bytes())
            .map_err(|error| StorageError::contents(&file, error))?;
        write_plain(&file, &bytes)?;
        write_plain(&folder.join(STATE), &state_bytes)
    })?;
    write_atomic(&checkpoints.join(LATEST), format!("{name}\n").as_bytes())?;
    if is_best {
        write_atomic(&checkpoints.join(BEST), format!("{name}\n").as_bytes())?;
    }
    remove_old(checkpoints, keep_last)?;
    Ok(path)
}

/// Inside a folder that is not committed yet; the commit flushes it.
fn write_plain(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    std::fs::write(path, bytes).map_err(|source| StorageError::io(path, "write", source))
}

fn remove_old(checkpoints: &Path, keep_last: usize) -> Result<(), TrainError> {
    let best = pointed_at(checkpoints, BEST);
    let mut steps = all_steps(checkpoints)?;
    steps.sort_unstable();
    let surplus = steps.len().saturating_sub(keep_last);
    for step in &steps[..surplus] {
        let path = checkpoints.join(folder_name(*step));
        if best.as_ref() != Some(&path) {
            std::fs::remove_dir_all(&path).map_err(|source| StorageError::io(&path, "remove", source))?;
        }
    }
    Ok(())
}

/// Steps of the folders that look like checkpoints.
fn all_steps(checkpoints: &Path) -> Result<Vec<u64>, TrainError> {
    let entries = match std::fs::read_dir(checkpoints) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StorageError::io(checkpoints, "list", source).into()),
    };
    let mut steps = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| StorageError::io(checkpoints, "list", source))?;
        let name = entry.file_name();
        let step =
            name.to_str().and_then(|name| name.strip_prefix("step-")).and_then(|digits| digits.parse().ok());
        steps.extend(step.filter(|step| name.to_str() == Some(&folder_name(*step))));
    }
    Ok(steps)
}

/// The folder a pointer file names, if the file is there and holds a checkpoint's name.
fn pointed_at(checkpoints: &Path, pointer: &str) -> Option<PathBuf> {
    let text = read_bounded(&checkpoints.join(pointer), 256).ok()?;
    let name = String::from_utf8(text).ok()?;
    let name = name.trim();
    let step = name.strip_prefix("step-")?.parse().ok()?;
    (name == folder_name(step)).then(|| checkpoints.join(name))
}

/// Which checkpoint of a run is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The newest good one.
    Latest,
    /// The one with the best evaluation.
    Best,
    /// This folder.
    Folder(PathBuf),
}

/// Finds and reads a checkpoint of `run_dir`; `None` when the run has none yet.
///
/// For [`Which::Latest`]: what `LATEST` names, otherwise the newest that verifies, and then a
/// sentence about it lands in `notices`.
///
/// # Errors
///
/// A damaged checkpoint that was asked for by name, or a run in which none verifies.
pub fn find(
    run_dir: &Path,
    which: &Which,
    notices: &mut Vec<String>,
) -> Result<Option<Checkpoint>, TrainError> {
    let checkpoints = run_dir.join("checkpoints");
    match which {
        Which::Folder(path) => Checkpoint::read(path).map(Some),
        Which::Best => match pointed_at(&checkpoints, BEST) {
            Some(path) => Checkpoint::read(&path).map(Some),
            None => Ok(None),
        },
        Which::Latest => latest(&checkpoints, notices),
    }
}

fn latest(checkpoints: &Path, notices: &mut Vec<String>) -> Result<Option<Checkpoint>, TrainError> {
    let mut candidates: Vec<PathBuf> = pointed_at(checkpoints, LATEST).into_iter().collect();
    let mut steps = all_steps(checkpoints)?;
    steps.sort_unstable_by(|a, b| b.cmp(a));
    for step in steps {
        let path = checkpoints.join(folder_name(step));
        if !candidates.contains(&path) {
            candidates.push(path);
        }
    }
    let mut first_error = None;
    for path in candidates {
        match Checkpoint::read(&path) {
            Ok(checkpoint) => {
                if first_error.is_some() {
                    notices.push(format!("going on from {} instead", checkpoint.path.display()));
                }
                return Ok(Some(checkpoint));
            }
            Err(error) => {
                notices.push(format!("passed over a checkpoint: {error}"));
                first_error.get_or_insert(error);
            }
        }
    }
    first_error.map_or(Ok(None), Err)
}

impl Checkpoint {
    /// Reads and verifies a checkpoint folder.
    ///
    /// # Errors
    ///
    /// [`TrainError::Storage`] when its manifest does not verify, [`TrainError::Checkpoint`] when
    /// its contents are of another version or kind.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        verify_folder(path)?;
        let state: State = from_json(&path.join(STATE))?;
        if state.format_version != FORMAT_VERSION {
            return Err(TrainError::Checkpoint {
                path: path.to_owned(),
                message: format!(
                    "expected format version {FORMAT_VERSION}, got {}; use the Firebrick that wrote it",
                    state.format_version
                ),
            });
        }
        let file = path.join(MODEL);
        let bytes = read_bounded(&file, MAX_FILE_BYTES)?;
        let model =
            ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(|error| broken(&file, error))?;
        Ok(Self { path: path.to_owned(), state, model })
    }

    /// Puts the saved weights into `model`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Checkpoint`] when they are another network's.
    pub fn load_model<M: Module>(&self, model: M) -> Result<M, TrainError> {
        model
            .try_load_record(self.model.clone())
            .map_err(|error| broken(&self.path.join(MODEL), format!("{error}; is it another network's?")))
    }

    /// Puts the saved optimiser state into `optimizer`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Optimizer`] when it is another optimiser's or another network's.
    pub fn load_optimizer(&self, optimizer: &mut Optimizer, device: &Device) -> Result<(), TrainError> {
        let bytes = read_bounded(&self.path.join(OPTIMIZER), MAX_FILE_BYTES)?;
        Ok(optimizer.load_state(OptimizerState::from_bytes(&bytes)?, device)?)
    }
}

fn broken(path: &Path, message: impl ToString) -> TrainError {
    TrainError::Checkpoint { path: path.to_owned(), message: message.to_string() }
}

impl State {
    pub(crate) const FORMAT_VERSION: u32 = FORMAT_VERSION;
}

/// Removes what a process that died while saving has left.
pub(crate) fn tidy(run_dir: &Path) -> Result<(), TrainError> {
    let checkpoints = run_dir.join("checkpoints");
    for folder in [run_dir, &checkpoints] {
        if folder.is_dir() {
            remove_leftovers(folder)?;
        }
    }
    Ok(())
}
