//! The run's own folder: `config.toml`, `environment.json`, `metrics.jsonl`, `summary.json`,
//! `checkpoints/`.
//!
//! A run never writes into another's folder: a fresh one is made by an exclusive `mkdir`, and while
//! a process owns a folder it holds a kernel lock on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_component::text;
use firebrick_storage::{MANIFEST_FILE, RunLock, StorageError, create_folder, create_folders, write_atomic};
use serde::Serialize;

use crate::branch::absolute;
use crate::checkpoint::{State, folder_name, step_of_name, tidy};
use crate::config::Config;
use crate::divergence::Divergence;
use crate::error::TrainError;
use crate::event::Summary;
use crate::json::{from_json, to_json};
use crate::metrics_file::MetricsFile;
use crate::plan::Plan;
use crate::run_contents::RunContents;

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
    lock: Arc<RunLock>,
}

impl RunFolder {
    /// Makes a fresh folder, with an empty `metrics.jsonl`. On failure nothing but an empty folder may be left.
    pub(crate) fn create(plan: &Plan, run_dir: Option<&Path>) -> Result<(Self, MetricsFile), TrainError> {
        refuse_in_checkpoint(run_dir.unwrap_or(&plan.config.output.root))?;
        let path = match run_dir {
            Some(path) => {
                create_folders(path)?;
                path.to_owned()
            }
            None => next_free(&plan.config.output.root, plan.config.output.name.as_deref(), &plan.name)?,
        };
        let lock = RunLock::acquire(&path)?;
        let contents = RunContents::of(&path)?;
        if !contents.is_fresh() {
            return Err(not_fresh(path, &contents));
        }
        // What a process has left that died before the folder became a run.
        tidy(&path)?;
        Self::open(plan, &plan.config, &path, lock, 0)
    }

    /// Opens a locked folder as that of a run, cuts `metrics.jsonl` to `metrics_bytes`, and records `config`.
    pub(crate) fn open(
        plan: &Plan,
        config: &Config,
        path: &Path,
        lock: RunLock,
        metrics_bytes: u64,
    ) -> Result<(Self, MetricsFile), TrainError> {
        let metrics = MetricsFile::open(path, metrics_bytes)?;
        create_folders(&path.join("checkpoints"))?;
        let folder = Self { path: path.to_owned(), lock: Arc::new(lock) };
        folder.describe(plan, config)?;
        Ok((folder, metrics))
    }

    /// `config.toml` comes last: only a folder that has it holds a run. One that says the same in other words stays.
    fn describe(&self, plan: &Plan, config: &Config) -> Result<(), TrainError> {
        self.write_json("environment.json", &Environment::of(plan))?;
        let text = config.to_toml()?;
        let found = Config::from_file(&self.path.join("config.toml"), &[]);
        match found.and_then(|found| found.to_toml()) {
            Ok(found) if found == text => Ok(()),
            Ok(_) | Err(_) => self.write("config.toml", text.as_bytes()),
        }
    }

    /// The right to write into the folder.
    pub(crate) fn lock(&self) -> Arc<RunLock> {
        self.lock.clone()
    }

    /// Whether the folder is still the one that the run began in.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        Ok(self.lock.check()?)
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
        self.check()?;
        Ok(write_atomic(&self.path.join(name), bytes)?)
    }
}

/// Why no fresh run may begin in a folder, and what may.
fn not_fresh(path: PathBuf, contents: &RunContents) -> TrainError {
    let found = contents.found();
    let can_go_on = !contents.steps.is_empty() || contents.is_untrained();
    let message = if contents.has_config && can_go_on {
        format!("already holds a run ({found}); use --resume to go on with it, or another --run-dir")
    } else if can_go_on {
        format!(
            "holds a run without its config.toml: found {found}; --resume goes on with it and writes config.toml \
             again, from the newest checkpoint; for a fresh run name another --run-dir"
        )
    } else {
        format!(
            "is not free for a fresh run: found {found}; name another --run-dir, or move that away if nobody \
             wants it"
        )
    };
    TrainError::Checkpoint { path, message }
}

/// The config that a run was made with, as its folder records it: the text, and what messages call it. `path` is a run's
/// folder, or a checkpoint's. That of `config.toml`, or of the newest checkpoint where that file is gone.
///
/// # Errors
///
/// [`TrainError::Storage`] when a folder or a file that is there cannot be read.
pub fn recorded_config(path: &Path) -> Result<Option<(String, String)>, TrainError> {
    let (run_dir, checkpoints) = match parts(path) {
        (Some(run_dir), true) => (run_dir, vec![path.to_owned()]),
        _ => {
            let newest_first = RunContents::of(path)?.steps.into_iter().rev();
            let folder = |step| path.join("checkpoints").join(folder_name(step));
            (path.to_owned(), newest_first.map(folder).collect())
        }
    };
    let file = run_dir.join("config.toml");
    if file.is_file() {
        let text = std::fs::read_to_string(&file).map_err(|error| StorageError::io(&file, "read", error))?;
        return Ok(Some((text, file.display().to_string())));
    }
    let mut states = checkpoints.into_iter().map(|folder| folder.join("state.json"));
    Ok(states.find_map(|path| Some((from_json::<State>(&path).ok()?.config, path.display().to_string()))))
}

/// Where the relative `path` of a run's config, such as `data.root`, lies, when it is not to be found from the present
/// working folder: below that in which a process worked on the run before.
pub fn found_from_run(run_dir: &Path, path: &Path) -> Option<PathBuf> {
    if path.is_absolute() || path.exists() {
        return None;
    }
    let environment: serde_json::Value = from_json(&run_dir.join("environment.json")).ok()?;
    let found = Path::new(environment["working_folder"].as_str()?).join(path);
    found.exists().then_some(found)
}

/// The run's folder that a checkpoint's path leads to, and whether it has a checkpoint's name or manifest.
pub(crate) fn parts(path: &Path) -> (Option<PathBuf>, bool) {
    let name = path.file_name().and_then(|name| name.to_str());
    let is_checkpoint = name.and_then(step_of_name).is_some() || path.join(MANIFEST_FILE).is_file();
    let run_dir = match path.parent().map(|parent| (parent, parent.parent())) {
        Some((_, Some(run_dir))) if run_dir.as_os_str().is_empty() => Some(PathBuf::from(".")),
        Some((_, Some(run_dir))) => Some(run_dir.to_owned()),
        // A name alone, given from within `checkpoints/`.
        _ => path.canonicalize().ok().and_then(|path| Some(path.parent()?.parent()?.to_owned())),
    };
    (run_dir, is_checkpoint)
}

/// Refuses a place in a checkpoint: another file in it makes it worthless, and it is removed when newer ones are there.
pub(crate) fn refuse_in_checkpoint(place: &Path) -> Result<(), TrainError> {
    let Some(checkpoint) = checkpoint_around(place) else { return Ok(()) };
    Err(TrainError::Checkpoint {
        path: place.to_owned(),
        message: format!(
            "lies in the checkpoint {}, into which nothing may be written; name a folder outside of it. To go on from a \
             checkpoint: --resume={}",
            text::path(&checkpoint),
            text::path(&checkpoint)
        ),
    })
}

/// The checkpoint that a path is, or lies in, if it does.
pub fn checkpoint_around(path: &Path) -> Option<PathBuf> {
    let path = absolute(path);
    path.ancestors().find(|folder| folder.join(MANIFEST_FILE).is_file()).map(Path::to_owned)
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
    /// What relative paths in the config start from; absent where its name is no Unicode.
    working_folder: Option<String>,
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
            working_folder: std::env::current_dir()
                .ok()
                .and_then(|folder| folder.to_str().map(str::to_owned)),
            started_unix_s: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |elapsed| elapsed.as_secs()),
        }
    }
}
