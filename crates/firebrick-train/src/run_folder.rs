//! The run's own folder: `config.toml`, `environment.json`, `metrics.jsonl`, `summary.json`,
//! `checkpoints/`.
//!
//! A run never writes into another's folder: a fresh one is made by an exclusive `mkdir`, and while
//! a process owns a folder it holds a kernel lock on it.

use std::path::{Path, PathBuf};

use firebrick_storage::{RunLock, create_folder, create_folders, write_atomic};
use serde::Serialize;

use crate::checkpoint::tidy;
use crate::divergence::Divergence;
use crate::error::TrainError;
use crate::event::Summary;
use crate::json::{from_json, to_json};
use crate::metrics_file::MetricsFile;
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
    _lock: RunLock,
}

impl RunFolder {
    /// Makes a fresh folder, with an empty `metrics.jsonl`. On failure nothing but an empty folder may be left.
    pub(crate) fn create(plan: &Plan, run_dir: Option<&Path>) -> Result<(Self, MetricsFile), TrainError> {
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
        Self::open(plan, path, lock, 0)
    }

    /// Opens the folder of an earlier process and cuts `metrics.jsonl` to `metrics_bytes`.
    pub(crate) fn reopen(
        plan: &Plan,
        path: &Path,
        lock: RunLock,
        metrics_bytes: u64,
    ) -> Result<(Self, MetricsFile), TrainError> {
        Self::open(plan, path.to_owned(), lock, metrics_bytes)
    }

    fn open(
        plan: &Plan,
        path: PathBuf,
        lock: RunLock,
        metrics_bytes: u64,
    ) -> Result<(Self, MetricsFile), TrainError> {
        let metrics = MetricsFile::open(&path, metrics_bytes)?;
        create_folders(&path.join("checkpoints"))?;
        let folder = Self { path, _lock: lock };
        folder.describe(plan)?;
        Ok((folder, metrics))
    }

    /// `config.toml` comes last: only a folder that has it holds a run.
    fn describe(&self, plan: &Plan) -> Result<(), TrainError> {
        self.write_json("environment.json", &Environment::of(plan))?;
        self.write("config.toml", plan.config.to_toml()?.as_bytes())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where checkpoints go.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
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
