//! The run's own folder: `config.toml`, `environment.json`, `metrics.jsonl`, `summary.json`,
//! `checkpoints/`.
//!
//! A run never writes into another's folder: a fresh one is made by an exclusive `mkdir`, and while
//! a process owns a folder it holds a kernel lock on it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use firebrick_storage::{AppendFile, RunLock, StorageError, create_folder, create_folders, write_atomic};
use serde::Serialize;

use crate::checkpoint::tidy;
use crate::divergence::Divergence;
use crate::error::TrainError;
use crate::event::{Event, Summary};
use crate::plan::Plan;

/// Where a run is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunLocation {
    /// The run's own folder; when absent, a new one below `output.root`.
    pub run_dir: Option<PathBuf>,
    /// Whether to go on from what is there.
    pub resume: Resume,
}

/// Whether, and from what, a run goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Resume {
    /// A fresh run; a folder that already holds one is an error.
    #[default]
    Fresh,
    /// Goes on from the newest good checkpoint of the run's folder, or starts if there is nothing.
    Latest,
    /// Goes on in this run folder, or from this checkpoint folder of a run.
    From(PathBuf),
}

/// An open run folder, locked by this process.
pub struct RunFolder {
    path: PathBuf,
    metrics: AppendFile,
    _lock: RunLock,
}

impl RunFolder {
    /// Makes a fresh folder. On failure nothing but an empty folder may be left.
    pub(crate) fn create(plan: &Plan, run_dir: Option<&Path>) -> Result<Self, TrainError> {
        let path = match run_dir {
            Some(path) => {
                create_folders(path)?;
                path.to_owned()
            }
            None => next_free(&plan.config.output.root, plan.config.output.name.as_deref(), &plan.name)?,
        };
        let lock = RunLock::acquire(&path)?;
        // What a process has left that died before the folder became a run.
        tidy(&path)?;
        if is_run(&path) {
            return Err(TrainError::Checkpoint {
                message: "already holds a run; use --resume to go on with it, or another --run-dir"
                    .to_owned(),
                path,
            });
        }
        let folder = Self::open_locked(path, lock, 0)?;
        folder.describe(plan)?;
        Ok(folder)
    }

    /// Opens the folder of an earlier process and cuts `metrics.jsonl` to `metrics_bytes`.
    pub(crate) fn reopen(
        plan: &Plan,
        path: &Path,
        lock: RunLock,
        metrics_bytes: u64,
    ) -> Result<Self, TrainError> {
        let folder = Self::open_locked(path.to_owned(), lock, metrics_bytes)?;
        folder.describe(plan)?;
        Ok(folder)
    }

    /// `config.toml` comes last: only a folder that has it holds a run.
    fn describe(&self, plan: &Plan) -> Result<(), TrainError> {
        self.write_json("environment.json", &Environment::of(plan))?;
        self.write("config.toml", plan.config.to_toml()?.as_bytes())
    }

    fn open_locked(path: PathBuf, lock: RunLock, metrics_bytes: u64) -> Result<Self, TrainError> {
        let metrics = AppendFile::open(&path.join("metrics.jsonl"), metrics_bytes)?;
        create_folders(&path.join("checkpoints"))?;
        Ok(Self { path, metrics, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where checkpoints go.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Bytes of `metrics.jsonl` so far.
    pub(crate) fn metrics_bytes(&self) -> u64 {
        self.metrics.bytes()
    }

    /// Appends a step or an evaluation to `metrics.jsonl`; other events are not recorded.
    pub(crate) fn record(&mut self, event: &Event) -> Result<(), TrainError> {
        if !matches!(event, Event::Step(_) | Event::Refused(_) | Event::Eval(_)) {
            return Ok(());
        }
        let path = self.path.join("metrics.jsonl");
        let mut line = to_json(&path, event, false)?;
        line.push(b'\n');
        Ok(self.metrics.append(&line)?)
    }

    /// A second handle on `metrics.jsonl`, for whoever makes its lines durable.
    pub(crate) fn metrics(&self) -> Result<AppendFile, TrainError> {
        Ok(self.metrics.try_clone()?)
    }

    /// Writes `diverged.json`, in place of an earlier one, and gives its path.
    pub(crate) fn write_divergence(&self, divergence: &Divergence) -> Result<PathBuf, TrainError> {
        self.write_json("diverged.json", divergence)?;
        Ok(self.path.join("diverged.json"))
    }

    /// The summary of an earlier process, if there is a whole one.
    pub(crate) fn summary(&self) -> Option<Summary> {
        from_json(&self.path.join("summary.json")).ok()
    }

    pub(crate) fn write_summary(&self, summary: &Summary) -> Result<(), TrainError> {
        self.write_json("summary.json", summary)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), TrainError> {
        let mut bytes = to_json(&self.path.join(name), value, true)?;
        bytes.push(b'\n');
        self.write(name, &bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        Ok(write_atomic(&self.path.join(name), bytes)?)
    }
}

/// Whether a folder holds a run's files.
pub(crate) fn is_run(path: &Path) -> bool {
    path.join("config.toml").exists()
}

/// `root/name`, or `root/<config>-001`, `-002`, ...: the first that `mkdir` can make.
fn next_free(root: &Path, name: Option<&str>, config_name: &str) -> Result<PathBuf, TrainError> {
    create_folders(root)?;
    if let Some(name) = name {
        let path = root.join(name);
        create_folders(&path)?;
        return Ok(path);
    }
    for number in 1..1_000_000 {
        let path = root.join(format!("{config_name}-{number:03}"));
        if create_folder(&path)? {
            return Ok(path);
        }
    }
    Err(TrainError::Checkpoint {
        path: root.to_owned(),
        message: format!("a million runs of `{config_name}` are here already; name another with --run-dir"),
    })
}

pub(crate) fn storage(path: &Path, action: &'static str, source: std::io::Error) -> TrainError {
    TrainError::Storage(StorageError::io(path, action, source))
}

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
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(64 << 20).read_to_string(&mut text))
        .map_err(|source| storage(path, "read", source))?;
    json5::from_str(&text).map_err(|error| TrainError::Checkpoint {
        path: path.to_owned(),
        message: format!("is not what Firebrick writes: {error}"),
    })
}

/// `environment.json`: where the run's numbers come from.
#[derive(Serialize)]
struct Environment {
    firebrick: &'static str,
    burn: &'static str,
    backend: String,
    device: String,
    threads: usize,
    os: &'static str,
    arch: &'static str,
    dataset_fingerprint: String,
    started_unix_s: u64,
}

impl Environment {
    fn of(plan: &Plan) -> Self {
        Self {
            firebrick: env!("CARGO_PKG_VERSION"),
            burn: "0.22.1",
            backend: plan.backend.name.to_string(),
            device: plan.backend.device_name.clone(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            dataset_fingerprint: plan.datasets.info.fingerprint.clone(),
            started_unix_s: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |elapsed| elapsed.as_secs()),
        }
    }
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
        write_atomic(&path, &to_json(&path, &written, true).unwrap()).unwrap();
        assert_eq!(from_json::<Vec<f64>>(&path).unwrap(), written);
    }
}
