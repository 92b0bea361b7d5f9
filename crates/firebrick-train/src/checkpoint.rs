//! Checkpoints: everything a run needs to go on, in a folder that counts only as a whole.
//!
//! `checkpoints/step-000000782/` holds `model.bpk`, `optimizer.bpk`, `ema.bpk` if there is an average,
//! `state.json` and, written last, `MANIFEST.json`; the folder gets its name by a rename. `LATEST` and `BEST` are one-line
//! files renamed into place. A reader trusts a folder only after its manifest has verified.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device};
use firebrick_component::text;
use firebrick_data::{DatasetInfo, Preprocess};
use firebrick_models::parameters::{NamedParameter, named_parameters};
use firebrick_storage::{
    MANIFEST_FILE, StorageError, commit_folder, read_bounded, remove_leftovers, verify_folder, write_atomic,
    write_new,
};
use serde::{Deserialize, Serialize};

pub use crate::checkpoint_names::folder_name;
use crate::checkpoint_names::{EMA, MODEL, OPTIMIZER, STATE};
pub(crate) use crate::checkpoint_names::{all_steps, step_of_name};
use crate::config::Config;
use crate::config_difference::{differences, with_start_of};
use crate::ema::Ema;
use crate::error::TrainError;
use crate::event::CheckpointRecord;
use crate::json::{from_json, to_json};
use crate::metrics_tail;
use crate::optimizer::{Optimizer, OptimizerState};
pub(crate) use crate::retention::Retention;
use crate::retention::remove_old;
use crate::run_progress::RunProgress;
use crate::schedule::ScheduleState;
use crate::weights_hash::parameters_sha256;

const FORMAT_VERSION: u32 = 2;
/// Names the newest checkpoint.
pub const LATEST: &str = "LATEST";
/// Names the checkpoint with the best evaluation.
pub const BEST: &str = "BEST";
/// A network that needs more than this has outgrown the format.
const MAX_FILE_BYTES: u64 = 64 << 30;

/// `state.json`: what a run knows beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of this layout.
    pub format_version: u32,
    /// How far the run is.
    pub progress: RunProgress,
    /// Length of `metrics.jsonl`, in bytes.
    pub metrics_bytes: u64,
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

/// Everything a checkpoint holds, copied off the device, so that it can be written while training
/// goes on.
pub(crate) struct Snapshot {
    model: Bytes,
    optimizer: Vec<u8>,
    ema: Option<Vec<u8>>,
    parameters: Vec<NamedParameter>,
    state: State,
}

impl Snapshot {
    /// Copies what a checkpoint holds.
    ///
    /// # Errors
    ///
    /// [`TrainError::Optimizer`] or [`TrainError::Checkpoint`] if the device will not give a tensor back.
    pub(crate) fn take<M: Module>(
        model: &M,
        optimizer: &Optimizer,
        ema: Option<&Ema>,
        state: State,
    ) -> Result<Self, TrainError> {
        let model = model.valid();
        Ok(Self {
            parameters: named_parameters(&model),
            model: model.into_record().into_bytes().map_err(|error| broken(Path::new(MODEL), error))?,
            optimizer: optimizer.state()?.to_bytes()?,
            ema: ema.map(Ema::to_bytes).transpose()?,
            state,
        })
    }

    /// Writes the checkpoint below `checkpoints`, in place of one of the same step if there is any,
    /// points `LATEST` (and `BEST`, when it is the best) to it and removes those that need not stay. The lines of
    /// `metrics.jsonl` that it counts must be durable before.
    ///
    /// # Failure
    ///
    /// Until the folder is renamed into place, every earlier checkpoint and pointer is untouched.
    pub(crate) fn write(
        mut self,
        checkpoints: &Path,
        retention: &Retention,
    ) -> Result<CheckpointRecord, TrainError> {
        let step = self.state.progress.position.step;
        let (name, is_best) = (folder_name(step), retention.best_steps.first() == Some(&step));
        let path = checkpoints.join(&name);
        self.state.weights_sha256 = parameters_sha256(&self.parameters);
        let state = to_json(&path.join(STATE), &self.state, true)?;
        commit_folder(checkpoints, &name, |folder| {
            write_new(&folder.join(MODEL), &self.model)?;
            write_new(&folder.join(OPTIMIZER), &self.optimizer)?;
            if let Some(ema) = &self.ema {
                write_new(&folder.join(EMA), ema)?;
            }
            write_new(&folder.join(STATE), &state)
        })?;
        write_atomic(&checkpoints.join(LATEST), format!("{name}\n").as_bytes())?;
        point_to_best(checkpoints, retention.best_steps.first().copied())?;
        remove_old(checkpoints, step, retention)?;
        Ok(CheckpointRecord { step, path, is_best })
    }
}

/// Makes `BEST` name the checkpoint of the best evaluation, where it does not: that checkpoint has just been written, or
/// a process has ended between the two.
pub(crate) fn point_to_best(checkpoints: &Path, best_step: Option<u64>) -> Result<(), TrainError> {
    let Some(name) = best_step.map(folder_name) else { return Ok(()) };
    let path = checkpoints.join(&name);
    if path.join(MANIFEST_FILE).is_file() && pointed_at(checkpoints, BEST) != Some(path) {
        write_atomic(&checkpoints.join(BEST), format!("{name}\n").as_bytes())?;
    }
    Ok(())
}

/// The folder a pointer file names, if the file is there and holds a checkpoint's name.
fn pointed_at(checkpoints: &Path, pointer: &str) -> Option<PathBuf> {
    let text = read_bounded(&checkpoints.join(pointer), 256).ok()?;
    let name = String::from_utf8(text).ok()?;
    step_of_name(name.trim()).map(|step| checkpoints.join(folder_name(step)))
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
/// For [`Which::Latest`]: the newest that verifies, is this run's and goes with `metrics.jsonl`; for each newer one
/// that does not, a sentence lands in `notices`. Where none goes with `metrics.jsonl`, the newest without it.
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
            Some(path) => Checkpoint::read(&path)?.of_run(run_dir).map(Some),
            None => Ok(None),
        },
        Which::Latest => latest(run_dir, notices),
    }
}

/// Reads the checkpoint of a step.
///
/// # Errors
///
/// It is gone or damaged.
pub(crate) fn at_step(run_dir: &Path, step: u64) -> Result<Checkpoint, TrainError> {
    Checkpoint::read(&run_dir.join("checkpoints").join(folder_name(step)))
}

fn latest(run_dir: &Path, notices: &mut Vec<String>) -> Result<Option<Checkpoint>, TrainError> {
    let checkpoints = run_dir.join("checkpoints");
    let mut steps = all_steps(&checkpoints)?;
    steps.sort_unstable_by(|a, b| b.cmp(a));
    let mut passed_over = Vec::new();
    let (mut first_error, mut without_metrics) = (None, None);
    for step in steps {
        let path = checkpoints.join(folder_name(step));
        match Checkpoint::read(&path).and_then(|checkpoint| checkpoint.of_run(run_dir)) {
            Ok(checkpoint) if checkpoint.goes_with_metrics(run_dir)? => {
                let is_newest = passed_over.is_empty();
                notices.append(&mut passed_over);
                notices.extend(missing_latest(&checkpoints, step));
                if !is_newest {
                    notices.push(format!("going on from {} instead", text::path(&checkpoint.path)));
                }
                return Ok(Some(checkpoint));
            }
            Ok(checkpoint) => {
                let path = text::path(&checkpoint.path);
                passed_over.push(format!("passed over {path}: metrics.jsonl does not have its lines"));
                without_metrics.get_or_insert(checkpoint);
            }
            // What the system does not let us read may be good.
            Err(TrainError::Storage(error)) if error.is_refused_by_system() => return Err(error.into()),
            Err(error) => {
                passed_over.push(format!("passed over a checkpoint: {error}"));
                first_error.get_or_insert(error);
            }
        }
    }
    match (without_metrics, first_error) {
        (None, Some(error)) => {
            notices.append(&mut passed_over);
            Err(error)
        }
        (found, _) => Ok(found),
    }
}

/// A word about a later checkpoint than the newest that is there.
fn missing_latest(checkpoints: &Path, newest: u64) -> Option<String> {
    let named = pointed_at(checkpoints, LATEST)?;
    let step = named.file_name()?.to_str().and_then(step_of_name)?;
    let is_missing = step > newest && named.symlink_metadata().is_err();
    is_missing.then(|| format!("{} is missing, though LATEST names it", text::path(&named)))
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
        let step = state.progress.position.step;
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("step-") && name != folder_name(step)) {
            return Err(TrainError::Checkpoint {
                path: path.to_owned(),
                message: format!("expected the checkpoint of this folder's step, got that of step {step}"),
            });
        }
        let file = path.join(MODEL);
        let bytes = read_bounded(&file, MAX_FILE_BYTES)?;
        let model =
            ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(|error| broken(&file, error))?;
        Ok(Self { path: path.to_owned(), state, model })
    }

    /// Refuses a checkpoint that another run made, as the run's own `config.toml` shows.
    ///
    /// # Errors
    ///
    /// [`TrainError::Checkpoint`] with a key in which the two differ.
    pub fn of_run(self, run_dir: &Path) -> Result<Self, TrainError> {
        let file = run_dir.join("config.toml");
        let config = match std::fs::read(&file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // There is nothing to compare with, and the checkpoint brings its own.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self),
            Err(error) => return Err(StorageError::io(&file, "read", error).into()),
        };
        let file = text::path(&file);
        let differences =
            differences(&config, &self.state.config).map_err(|error| TrainError::Checkpoint {
                path: self.path.clone(),
                message: format!(
                    "cannot be compared with this run's config.toml: {error}; if that file is damaged, move {file} \
                     away: --resume writes it again, from the newest checkpoint"
                ),
            })?;
        let other = differences.into_iter().find(|other| !other.is_backend());
        match other {
            None => Ok(self),
            Some(other) => Err(TrainError::Checkpoint {
                path: self.path,
                message: format!(
                    "is another run's: {other} (in this run's config.toml -> in the checkpoint); if config.toml is \
                     the one that does not belong here, move {file} away: --resume writes it again, from the newest \
                     checkpoint"
                ),
            }),
        }
    }

    /// What a run that goes on from here by the config `now` is to record.
    pub(crate) fn recorded_config(&self, now: &Config) -> Result<Config, TrainError> {
        let earlier = Config::from_toml("the checkpoint's config", &self.state.config, &[])?;
        Ok(with_start_of(&earlier, now))
    }

    /// Lets `LATEST` name this checkpoint of the run, and `BEST` the best one, where they name others or are gone.
    pub(crate) fn point_here(&self, run_dir: &Path) -> Result<(), TrainError> {
        let checkpoints = run_dir.join("checkpoints");
        let best = self.state.progress.bests.first().map(|best| best.step);
        for (pointer, step) in [(LATEST, Some(self.state.progress.position.step)), (BEST, best)] {
            let Some(name) = step.map(folder_name) else { continue };
            let target = checkpoints.join(&name);
            if target.is_dir() && pointed_at(&checkpoints, pointer) != Some(target) {
                write_atomic(&checkpoints.join(pointer), format!("{name}\n").as_bytes())?;
            }
        }
        Ok(())
    }

    /// Whether `metrics.jsonl` of the run has the lines up to this checkpoint. Another run's file, an older one or one
    /// that was cut since has not.
    pub(crate) fn goes_with_metrics(&self, run_dir: &Path) -> Result<bool, TrainError> {
        let State { metrics_bytes, progress, .. } = &self.state;
        let metrics = run_dir.join("metrics.jsonl");
        // The lines of the evaluations at the end are gone where a process went on and ended before it saved.
        let before_closing = progress.closing.as_ref().map(|closing| closing.metrics_bytes);
        for bytes in [Some(*metrics_bytes), before_closing].into_iter().flatten() {
            if bytes == 0 || metrics_tail::step_at(&metrics, bytes)? == Some(progress.position.step) {
                return Ok(true);
            }
        }
        Ok(false)
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

    /// Puts the saved average into `ema`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Checkpoint`] when there is none, [`TrainError::Ema`] when it is another network's.
    pub fn load_ema<M: Module>(&self, ema: &mut Ema, model: &M, device: &Device) -> Result<(), TrainError> {
        let file = self.path.join(EMA);
        if !file.is_file() {
            return Err(broken(
                &file,
                "expected the averaged weights, found none; was it made with trainer.ema?",
            ));
        }
        Ok(ema.load_bytes(&read_bounded(&file, MAX_FILE_BYTES)?, model, device)?)
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

/// Whether Firebrick gives this name to a file or folder of a run.
fn is_of_run(name: &str) -> bool {
    let files = [
        "config.toml",
        "environment.json",
        "metrics.jsonl",
        "summary.json",
        "diverged.json",
        "branch.json",
        LATEST,
        BEST,
    ];
    files.contains(&name) || step_of_name(name).is_some() || name.starts_with("earlier-")
}

/// Removes what a process that died while saving has left.
pub(crate) fn tidy(run_dir: &Path) -> Result<(), TrainError> {
    let checkpoints = run_dir.join("checkpoints");
    for folder in [run_dir, &checkpoints] {
        if folder.is_dir() {
            remove_leftovers(folder, is_of_run)?;
        }
    }
    Ok(())
}
