//! Where a run begins: in a fresh folder, or in an earlier process's at its newest good checkpoint.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_storage::{RunLock, StorageError, create_folders};

use crate::branch::{Branch, absolute, new_folder};
use crate::checkpoint::{self, Checkpoint, State, Which};
use crate::class_names;
use crate::config::{Config, ConfigError};
use crate::config_difference::{Difference, changes_ahead, differences};
use crate::earlier;
use crate::error::TrainError;
use crate::metrics_file::{self, MetricsFile};
use crate::metrics_tail::{length, newest_step};
use crate::monitor;
use crate::plan::Plan;
use crate::run_contents::RunContents;
use crate::run_folder::{Resume, RunFolder, RunLocation, parts, refuse_in_checkpoint};
use crate::schedule::Schedule;

/// What a run starts from.
pub(crate) struct Begin {
    pub folder: RunFolder,
    pub metrics: MetricsFile,
    pub checkpoint: Option<Checkpoint>,
    pub notices: Vec<String>,
}

pub(crate) fn begin(plan: &Plan, location: &RunLocation) -> Result<Begin, TrainError> {
    let run_dir = location.run_dir.as_deref();
    match &location.resume {
        Resume::Fresh => fresh(plan, run_dir),
        Resume::Latest => match latest_run(&plan.config, &plan.name, run_dir)? {
            Some(run_dir) if !RunContents::of(&run_dir)?.is_fresh() => go_on(plan, &run_dir, &Which::Latest),
            run_dir => fresh(plan, run_dir.as_deref()),
        },
        Resume::From(path) => go_on_from(plan, path, run_dir),
    }
}

/// The run or checkpoint that `location` leads to, if a run goes on there; `name` is what the config's runs are called.
pub(crate) fn gone_on_with(
    config: &Config,
    name: &str,
    location: &RunLocation,
) -> Result<Option<PathBuf>, TrainError> {
    let run_dir = location.run_dir.as_ref();
    Ok(match &location.resume {
        Resume::Fresh => None,
        Resume::Latest => latest_run(config, name, run_dir.map(PathBuf::as_path))?,
        // A branch that needs the other run no more.
        Resume::From(path) if !path.exists() => run_dir.cloned(),
        Resume::From(path) => Some(path.clone()),
    })
}

/// Whether `location` leads to a run that has a checkpoint, so that no weights to start from are needed.
pub(crate) fn has_checkpoint(
    config: &Config,
    name: &str,
    location: &RunLocation,
) -> Result<bool, TrainError> {
    let run_dir = match &location.resume {
        Resume::Fresh => None,
        Resume::Latest => latest_run(config, name, location.run_dir.as_deref())?,
        Resume::From(path) => match run_of(path) {
            Ok((run_dir, Which::Latest)) => Some(run_dir),
            Ok(_) => return Ok(true),
            // A branch that needs the other run no more, or an error.
            Err(_) => location.run_dir.clone(),
        },
    };
    run_dir.map_or(Ok(false), |run_dir| Ok(!RunContents::of(&run_dir)?.steps.is_empty()))
}

/// The folder that `--resume` alone means: that of `run_dir`, or the newest of the plan's runs.
fn latest_run(config: &Config, name: &str, run_dir: Option<&Path>) -> Result<Option<PathBuf>, TrainError> {
    run_dir.map_or_else(|| newest_run(config, name), |run_dir| Ok(Some(run_dir.to_owned())))
}

fn fresh(plan: &Plan, run_dir: Option<&Path>) -> Result<Begin, TrainError> {
    let (folder, metrics) = RunFolder::create(plan, run_dir)?;
    Ok(Begin { folder, metrics, checkpoint: None, notices: Vec::new() })
}

/// Goes on with the run or from the checkpoint at `path`; where that is not the end of its run, or `run_dir` is another
/// folder, in a branch.
fn go_on_from(plan: &Plan, path: &Path, run_dir: Option<&Path>) -> Result<Begin, TrainError> {
    // The branch is there, and needs the other run no more.
    if let (Some(run_dir), false) = (run_dir, path.exists())
        && Branch::read(run_dir)?.is_some_and(|branch| branch.is_off_path(path))
    {
        return go_on(plan, run_dir, &Which::Latest);
    }
    let (from, which) = run_of(path)?;
    let Which::Folder(checkpoint) = &which else {
        return match run_dir {
            None => go_on(plan, &from, &which),
            Some(run_dir) => Err(TrainError::Plan(format!(
                "{} and {} are two runs, expected one; a checkpoint of the first could be branched off into the second",
                text::path(&from),
                text::path(run_dir)
            ))),
        };
    };
    let is_own = |run_dir: &Path| absolute(run_dir) == absolute(&from);
    match (run_dir.filter(|run_dir| !is_own(run_dir)), later_step(&from, checkpoint)?) {
        (None, None) => go_on(plan, &from, &which),
        (None, Some(later)) if run_dir.is_some() => Err(TrainError::Checkpoint {
            path: checkpoint.clone(),
            message: format!(
                "is not the end of its run, which has come to step {later} and stays as it is; name another \
                 --run-dir for a branch, or leave it out"
            ),
        }),
        (branch, later) => branch_off(plan, &from, checkpoint, branch, later),
    }
}

/// The newest step that a run has beyond one of its checkpoints, if it has any: of a checkpoint or of a line of
/// `metrics.jsonl`.
fn later_step(run_dir: &Path, checkpoint: &Path) -> Result<Option<u64>, TrainError> {
    let step = Checkpoint::read(checkpoint)?.state.progress.position.step;
    let saved = RunContents::of(run_dir)?.steps.last().copied();
    let told = newest_step(&run_dir.join("metrics.jsonl"))?;
    Ok(saved.max(told).filter(|newest| *newest > step))
}

/// Goes on from a checkpoint in another folder than its run's: `run_dir`, or a new one. A folder that is this branch
/// already is gone on with.
fn branch_off(
    plan: &Plan,
    from: &Path,
    checkpoint: &Path,
    run_dir: Option<&Path>,
    later: Option<u64>,
) -> Result<Begin, TrainError> {
    let checkpoint = Checkpoint::read(checkpoint)?.of_run(from)?;
    check_same_run(plan, &checkpoint, &mut Vec::new())?;
    if !checkpoint.goes_with_metrics(from)? {
        return Err(without_metrics(from, &checkpoint));
    }
    let branch = Branch::off(from, &checkpoint)?;
    let run_dir = match run_dir {
        Some(run_dir) => {
            refuse_in_checkpoint(run_dir)?;
            create_folders(run_dir)?;
            run_dir.to_owned()
        }
        None => new_folder(from)?,
    };
    let lock = RunLock::acquire(&run_dir)?;
    let contents = RunContents::of(&run_dir)?;
    let is_this_branch = match Branch::read(&run_dir)? {
        Some(found) if found.is_same_checkpoint(&branch) => true,
        Some(found) => return Err(other_branch(&run_dir, &found)),
        None if contents.is_fresh() => false,
        None => return Err(other_run(&run_dir, &contents)),
    };
    if is_this_branch && !branch.is_half_made(&contents, checkpoint.state.metrics_bytes) {
        return go_on_locked(plan, &run_dir, lock, &Which::Latest);
    }
    checkpoint::tidy(&run_dir)?;
    branch.make(&run_dir, from, &checkpoint)?;
    let mut begin = go_on_locked(plan, &run_dir, lock, &Which::Latest)?;
    begin.notices.insert(0, branched(from, &run_dir, branch.step, later));
    Ok(begin)
}

fn branched(from: &Path, run_dir: &Path, step: u64, later: Option<u64>) -> String {
    let (from, run_dir) = (text::path(from), text::path(run_dir));
    let end = later.map_or_else(String::new, |later| format!(", which has come to step {later}"));
    format!(
        "branched off {from} at step {step}: {run_dir} begins with a copy of that checkpoint and of metrics.jsonl up to \
         it; {from}{end}, stays as it is. Each of the two is gone on with by its own name: --resume={run_dir}"
    )
}

fn other_branch(run_dir: &Path, found: &Branch) -> TrainError {
    TrainError::Checkpoint {
        path: run_dir.to_owned(),
        message: format!(
            "is a branch of {} off step {}, not of this checkpoint; go on with it by --resume={}, or name another \
             --run-dir",
            text::path(&found.run),
            found.step,
            text::path(run_dir)
        ),
    }
}

fn other_run(run_dir: &Path, contents: &RunContents) -> TrainError {
    TrainError::Checkpoint {
        path: run_dir.to_owned(),
        message: format!(
            "is not free for a branch: found {}, of another run; name another --run-dir, or leave it out",
            contents.found()
        ),
    }
}

fn go_on(plan: &Plan, run_dir: &Path, which: &Which) -> Result<Begin, TrainError> {
    go_on_locked(plan, run_dir, RunLock::acquire(run_dir)?, which)
}

fn go_on_locked(plan: &Plan, run_dir: &Path, lock: RunLock, which: &Which) -> Result<Begin, TrainError> {
    // First: a checkpoint that was being replaced when its process died comes back by this.
    checkpoint::tidy(run_dir)?;
    let contents = RunContents::of(run_dir)?;
    let mut notices = Vec::new();
    let Some(mut checkpoint) = checkpoint::find(run_dir, which, &mut notices)? else {
        check_untrained(plan, run_dir, &contents)?;
        let (folder, metrics) = RunFolder::open(plan, &plan.config, run_dir, lock, 0)?;
        return Ok(Begin { folder, metrics, checkpoint: None, notices });
    };
    check_same_run(plan, &checkpoint, &mut notices)?;
    if !checkpoint.goes_with_metrics(run_dir)? {
        return Err(without_metrics(run_dir, &checkpoint));
    }
    notices.extend(earlier::keep(plan, &contents, run_dir, &checkpoint)?);
    earlier::set_aside(plan, run_dir, &checkpoint, &mut notices)?;
    checkpoint.point_here(run_dir)?;
    reopen_end(plan, run_dir, &mut checkpoint.state);
    let config = checkpoint.recorded_config(&plan.config)?;
    let bytes = checkpoint.state.metrics_bytes;
    let (folder, metrics) = RunFolder::open(plan, &config, run_dir, lock, bytes)?;
    Ok(Begin { folder, metrics, checkpoint: Some(checkpoint), notices })
}

/// A run without a checkpoint begins anew, if nothing of it can be lost by that.
fn check_untrained(plan: &Plan, run_dir: &Path, contents: &RunContents) -> Result<(), TrainError> {
    let refused = |message| Err(TrainError::Checkpoint { path: run_dir.to_owned(), message });
    if !contents.is_untrained() {
        let found = contents.found();
        return refused(format!(
            "has no checkpoint to go on from, but {found}: a run that began here anew would overwrite that; put \
             checkpoints/ back from a copy, or name another --run-dir for a fresh run"
        ));
    }
    let file = run_dir.join("config.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| StorageError::io(&file, "read", error))?;
    let mut lines = match differences(&text, &plan.config.to_toml()?) {
        Ok(found) => found.iter().filter(|other| !other.is_backend()).map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    };
    if lines.is_empty() {
        return Ok(());
    }
    lines.truncate(20);
    refused(format!(
        "was begun with another config, and no step was taken:\n  {}\n\
         set these keys back, name another --run-dir, or remove the folder if nobody wants it",
        lines.join("\n  ")
    ))
}

/// Why a run does not go on without the lines that belong before its next step.
fn without_metrics(run_dir: &Path, checkpoint: &Checkpoint) -> TrainError {
    let (run, weights) = (text::path(run_dir), checkpoint.path.join("model.bpk"));
    let (bytes, step) = (checkpoint.state.metrics_bytes, checkpoint.state.progress.position.step);
    let path = run_dir.join("metrics.jsonl");
    let found = match length(&path) {
        Ok(Some(length)) if length < bytes => format!("{length} bytes"),
        Ok(Some(_)) => "lines of other steps".to_owned(),
        Ok(None) | Err(_) => "no such file".to_owned(),
    };
    TrainError::Checkpoint {
        message: format!(
            "expected the {bytes} bytes up to step {step} that {} goes with, got {found}; put the file back from a copy, \
             or begin a fresh run from these weights: train --config {run}/config.toml --set model.weights={} --run-dir \
             NEW",
            text::path(&checkpoint.path),
            text::path(&weights)
        ),
        path,
    }
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
    if RunContents::of(path)?.is_run() {
        return Ok((path.to_owned(), Which::Latest));
    }
    let refused =
        |message: &str| Err(TrainError::Checkpoint { path: path.to_owned(), message: message.to_owned() });
    match parts(path) {
        (Some(run_dir), true) if path.is_dir() && RunContents::of(&run_dir)?.is_run() => {
            Ok((run_dir, Which::Folder(path.to_owned())))
        }
        (_, true) if path.is_dir() => refused(
            "expected a checkpoint in the folder of its run (run/checkpoints/step-...), found one without a run around \
             it; put it back there",
        ),
        _ => refused(
            "expected a run folder (with config.toml) or a checkpoint folder of one (run/checkpoints/step-...), found \
             neither",
        ),
    }
}

/// The highest-numbered run that this config made below `output.root`; `prefix` is what its runs are called.
fn newest_run(config: &Config, prefix: &str) -> Result<Option<PathBuf>, TrainError> {
    let output = &config.output;
    if let Some(name) = &output.name {
        return Ok(Some(output.root.join(name)));
    }
    let number = |path: &Path| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(prefix)?.strip_prefix('-')?.parse().ok()
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
            && !RunContents::of(&path)?.is_fresh()
            // A branch is gone on with by its own name; the same command as before goes on with its own run.
            && Branch::read(&path)?.is_none()
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
    let (start, other): (Vec<_>, Vec<_>) = other.into_iter().partition(Difference::is_start);
    for difference in start {
        notices.push(format!("no effect on a run that goes on from a checkpoint: {difference}"));
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
    let names = class_names::difference(&state.dataset.class_names, &plan.datasets.info.class_names);
    if let Some(difference) = names {
        return Err(TrainError::Checkpoint {
            path: checkpoint.path.clone(),
            message: format!(
                "was made on other classes than the data has now: {difference}; put the data back as it was, or start a \
                 fresh run"
            ),
        });
    }
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
