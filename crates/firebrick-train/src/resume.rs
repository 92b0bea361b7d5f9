//! Where a run begins: in a fresh folder, or in an earlier process's at its newest good checkpoint.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use firebrick_storage::{MANIFEST_FILE, RunLock, StorageError};

use crate::checkpoint::{self, Checkpoint, State, Which};
use crate::config::{Config, ConfigError};
use crate::config_difference::{Difference, changes_ahead, differences};
use crate::error::TrainError;
use crate::metrics_file::{self, MetricsFile};
use crate::monitor;
use crate::plan::Plan;
use crate::run_folder::{Resume, RunFolder, RunLocation, is_run};
use crate::schedule::Schedule;

/// What a run starts from.
pub(crate) struct Begin {
    pub folder: RunFolder,
    pub metrics: MetricsFile,
    pub checkpoint: Option<Checkpoint>,
    pub notices: Vec<String>,
}

pub(crate) fn begin(plan: &Plan, location: &RunLocation) -> Result<Begin, TrainError> {
    match &location.resume {
        Resume::Fresh => fresh(plan, location.run_dir.as_deref()),
        Resume::Latest => {
            let run_dir = match &location.run_dir {
                Some(run_dir) => Some(run_dir.clone()),
                None => newest_run(plan)?,
            };
            match run_dir {
                Some(run_dir) if is_run(&run_dir) => go_on(plan, &run_dir, &Which::Latest),
                run_dir => fresh(plan, run_dir.as_deref()),
            }
        }
        Resume::From(path) => {
            let (run_dir, which) = run_of(path)?;
            go_on(plan, &run_dir, &which)
        }
    }
}

fn fresh(plan: &Plan, run_dir: Option<&Path>) -> Result<Begin, TrainError> {
    let (folder, metrics) = RunFolder::create(plan, run_dir)?;
    Ok(Begin { folder, metrics, checkpoint: None, notices: Vec::new() })
}

fn go_on(plan: &Plan, run_dir: &Path, which: &Which) -> Result<Begin, TrainError> {
    let lock = RunLock::acquire(run_dir)?;
    checkpoint::tidy(run_dir)?;
    let mut notices = Vec::new();
    let mut checkpoint = checkpoint::find(run_dir, which, &mut notices)?;
    let metrics_bytes = match &mut checkpoint {
        Some(checkpoint) => {
            check_same_run(plan, checkpoint, &mut notices)?;
            reopen_end(plan, run_dir, &mut checkpoint.state);
            checkpoint.state.metrics_bytes
        }
        None => 0,
    };
    let (folder, metrics) = RunFolder::reopen(plan, run_dir, lock, metrics_bytes)?;
    Ok(Begin { folder, metrics, checkpoint, notices })
}

/// Where a run was at its end and now goes on: it forgets the evaluations that it made only because of the end. Also where
/// a process has gone on already and ended before it saved: their lines are gone.
fn reopen_end(plan: &Plan, run_dir: &Path, state: &mut State) {
    let Some(closing) = &state.progress.closing else { return };
    let lines = closing.metrics_bytes..state.metrics_bytes;
    let is_finished = monitor::is_finished(&plan.config.trainer, plan.total_steps, &state.progress);
    if is_finished && metrics_file::are_evaluations(run_dir, lines, state.progress.position.step) {
        return;
    }
    state.metrics_bytes = closing.metrics_bytes;
    state.progress.closing = None;
}

/// The run folder and the checkpoint that a path given by a person means.
pub(crate) fn run_of(path: &Path) -> Result<(PathBuf, Which), TrainError> {
    if is_run(path) {
        return Ok((path.to_owned(), Which::Latest));
    }
    let run_dir = path.parent().and_then(Path::parent);
    match run_dir {
        Some(run_dir) if path.join(MANIFEST_FILE).is_file() && is_run(run_dir) => {
            Ok((run_dir.to_owned(), Which::Folder(path.to_owned())))
        }
        Some(_) | None => Err(TrainError::Checkpoint {
            path: path.to_owned(),
            message: "expected a run folder (with config.toml) or a checkpoint folder of one \
                      (run/checkpoints/step-...), found neither"
                .to_owned(),
        }),
    }
}

/// The highest-numbered run that this config made below `output.root`.
fn newest_run(plan: &Plan) -> Result<Option<PathBuf>, TrainError> {
    let output = &plan.config.output;
    if let Some(name) = &output.name {
        return Ok(Some(output.root.join(name)));
    }
    let number = |path: &Path| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(&plan.name)?.strip_prefix('-')?.parse().ok()
    };
    let unreadable = |source| StorageError::io(&output.root, "list", source);
    let entries = match std::fs::read_dir(&output.root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error).into()),
    };
    let mut newest = None;
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if let Some(number) = number(&path)
            && is_run(&path)
        {
            newest = newest.max(Some((number, path)));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

fn check_same_run(plan: &Plan, checkpoint: &Checkpoint, notices: &mut Vec<String>) -> Result<(), TrainError> {
    let state = &checkpoint.state;
    let unreadable = |error: ConfigError| TrainError::Checkpoint {
        path: checkpoint.path.clone(),
        message: format!("was made with a config that cannot be read: {error}"),
    };
    let differences = differences(&state.config, &plan.config.to_toml()?).map_err(unreadable)?;
    let (backend, other): (Vec<_>, Vec<_>) = differences.into_iter().partition(Difference::is_backend);
    for difference in backend {
        notices.push(format!("the backend differs ({difference}), so the bits will, too"));
    }
    if !other.is_empty() {
        let lines: Vec<String> = other.iter().map(ToString::to_string).collect();
        return Err(TrainError::Checkpoint {
            path: checkpoint.path.clone(),
            message: format!(
                "was made with another config, so that going on would give neither run's numbers:\n  {}\n\
                 set these keys back, or start a fresh run in another folder",
                lines.join("\n  ")
            ),
        });
    }
    let earlier = Config::from_toml("the checkpoint's config", &state.config, &[]).map_err(unreadable)?;
    let epochs = earlier.trainer.epochs;
    if plan.config.trainer.epochs < epochs {
        return Err(TrainError::Checkpoint {
            path: checkpoint.path.clone(),
            message: format!(
                "was made for more epochs: expected trainer.epochs = {epochs} or more, got {}; \
                 raise it, or end the run earlier with trainer.max_steps",
                plan.config.trainer.epochs
            ),
        });
    }
    let finished_steps = state.progress.position.step;
    if plan.total_steps < finished_steps {
        return Err(TrainError::Checkpoint {
            path: checkpoint.path.clone(),
            message: format!(
                "has finished {finished_steps} steps: expected trainer.max_steps = {finished_steps} or more, or none, got {}; \
                 raise it or leave it out",
                plan.total_steps
            ),
        });
    }
    let changes = changes_ahead(&state.config, &plan.config.to_toml()?).map_err(unreadable)?;
    if !changes.is_empty() {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        notices.push(format!("from here on the run has other settings: {}", changes.join(", ")));
    }
    notices.extend(other_rates(plan, &earlier, finished_steps)?);
    let (expected, got) = (&state.dataset.fingerprint, &plan.datasets.info.fingerprint);
    if expected != got {
        return Err(TrainError::Checkpoint {
            path: checkpoint.path.clone(),
            message: format!(
                "was made on other data: expected fingerprint {expected}, got {got}; \
                 put the data back as it was, or start a fresh run"
            ),
        });
    }
    Ok(())
}

/// What to say where more epochs make a schedule longer, so that the steps that are done had other learning rates than
/// the longer run gives them.
fn other_rates(plan: &Plan, earlier: &Config, finished_steps: u64) -> Result<Option<String>, TrainError> {
    let schedule = |epochs: u64| {
        let length = plan.steps_per_epoch.saturating_mul(epochs);
        let config = &plan.config;
        Schedule::new(&config.schedule, config.optimizer.lr(), length, plan.steps_per_epoch)
    };
    let (before, now) = (earlier.trainer.epochs, plan.config.trainer.epochs);
    let (old, new) = (schedule(before)?, schedule(now)?);
    let changed = (0..finished_steps).any(|step| old.lr(step) != new.lr(step));
    Ok(changed.then(|| {
        format!(
            "trainer.epochs: {before} -> {now} makes the schedule `{}` longer: the {finished_steps} steps that are done had \
             other learning rates than a run of {now} epochs gives them, so the end is that of neither run",
            plan.config.schedule.name()
        )
    }))
}
