//! What a resume would replace or remove though a person may still want it: it is kept, as a copy in `earlier-001/`,
//! `earlier-002/`, ..., or under another name.

use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_storage::{commit_folder, copy_new, rename_folder};

use crate::checkpoint::{Checkpoint, State, all_steps, folder_name};
use crate::config::{CheckpointEvery, Config};
use crate::config_difference::differences;
use crate::error::TrainError;
use crate::event::Summary;
use crate::json::from_json;
use crate::metrics_tail::{ends_in_other_words, newest_step};
use crate::plan::Plan;
use crate::run_contents::RunContents;

const CONFIG: &str = "config.toml";
const ENVIRONMENT: &str = "environment.json";
const METRICS: &str = "metrics.jsonl";
const SUMMARY: &str = "summary.json";

/// Copies what going on from `checkpoint` would replace and no later step of the run brings back: a summary and lines of
/// `metrics.jsonl` that tell of more than the checkpoint, and files that Firebrick did not write. Says where they are.
pub(crate) fn keep(
    plan: &Plan,
    contents: &RunContents,
    run_dir: &Path,
    checkpoint: &Checkpoint,
) -> Result<Option<String>, TrainError> {
    let kept = kept_folders(run_dir)?;
    let is_kept =
        |name: &str| kept.iter().any(|folder| is_same_file(&run_dir.join(name), &folder.join(name)));
    let step = checkpoint.state.progress.position.step;
    let metrics = run_dir.join(METRICS);
    let newest_line = newest_step(&metrics)?.unwrap_or(step);
    let mut names = Vec::new();
    if contents.has_summary && !is_kept(SUMMARY) && tells_of_more(&run_dir.join(SUMMARY), &checkpoint.state) {
        names.push(SUMMARY);
        names.extend((newest_line > step).then_some(METRICS));
    } else if newest_line.saturating_sub(step) > longest_tail(plan) || ends_in_other_words(&metrics)? {
        names.push(METRICS);
    }
    names.extend((contents.has_other_environment && !is_kept(ENVIRONMENT)).then_some(ENVIRONMENT));
    names.extend((is_written_by_hand(plan, run_dir, checkpoint)? && !is_kept(CONFIG)).then_some(CONFIG));
    if names.is_empty() {
        return Ok(None);
    }
    let name = next_name(&kept);
    let copy =
        |draft: &Path| names.iter().try_for_each(|name| copy_new(&run_dir.join(name), &draft.join(name)));
    let folder = commit_folder(run_dir, &name, copy)?;
    Ok(Some(format!(
        "the run goes on after step {step}; what that replaces and does not bring back is kept: {}, in {}",
        names.join(" and "),
        text::path(&folder)
    )))
}

/// Gives another name to checkpoints that the run would replace or remove as it goes on and that are not its own past:
/// those of another run or version, and all of later steps, damaged ones too. Says so.
pub(crate) fn set_aside(
    plan: &Plan,
    run_dir: &Path,
    checkpoint: &Checkpoint,
    notices: &mut Vec<String>,
) -> Result<(), TrainError> {
    let checkpoints = run_dir.join("checkpoints");
    let config = plan.config.to_toml()?;
    for step in all_steps(&checkpoints)? {
        let path = checkpoints.join(folder_name(step));
        if path == checkpoint.path || is_own_past(plan, &config, &path, step, checkpoint) {
            continue;
        }
        let mut name = format!("set-aside-{}", folder_name(step));
        while checkpoints.join(&name).symlink_metadata().is_ok() {
            name.push_str("-again");
        }
        rename_folder(&path, &name)?;
        notices
            .push(format!("{} is not of this run as it goes on; it is now called {name}", text::path(&path)));
    }
    Ok(())
}

/// Also true of one that is damaged beyond telling whose it is.
fn is_own_past(plan: &Plan, config: &str, path: &Path, step: u64, checkpoint: &Checkpoint) -> bool {
    if step > checkpoint.state.progress.position.step {
        return false;
    }
    let Ok(state) = from_json::<serde_json::Value>(&path.join("state.json")) else { return true };
    let is_of_this_version = state["format_version"] == State::FORMAT_VERSION;
    let is_same_config = state["config"].as_str().is_some_and(|earlier| {
        differences(earlier, config)
            .is_ok_and(|found| found.iter().all(|other| other.is_backend() || other.is_start()))
    });
    let is_same_data = state["dataset"]["fingerprint"] == plan.datasets.info.fingerprint.as_str();
    is_of_this_version && is_same_config && is_same_data
}

/// Whether a summary tells of later steps than `state`, of another end at the same step, or of something unreadable.
fn tells_of_more(summary: &Path, state: &State) -> bool {
    let Ok(summary) = from_json::<Summary>(summary) else { return true };
    let step = state.progress.position.step;
    let is_other_end = summary.steps == step && summary.weights_sha256 != state.weights_sha256;
    summary.steps > step || is_other_end
}

/// More lines of steps than this behind its newest checkpoint has no run that was merely ended.
fn longest_tail(plan: &Plan) -> u64 {
    let between_saves = match plan.config.trainer.checkpoint_every {
        CheckpointEvery::Epoch => plan.steps_per_epoch,
        CheckpointEvery::Steps(steps) => steps.min(plan.steps_per_epoch),
    };
    // While one checkpoint is being written, training comes as far as the next.
    between_saves.saturating_mul(2)
}

/// Whether the run's `config.toml` has words of somebody's own, such as comments, and is to be replaced.
fn is_written_by_hand(plan: &Plan, run_dir: &Path, checkpoint: &Checkpoint) -> Result<bool, TrainError> {
    let Ok(text) = std::fs::read_to_string(run_dir.join(CONFIG)) else { return Ok(false) };
    if text == checkpoint.state.config {
        return Ok(false);
    }
    let Ok(config) = Config::from_toml(CONFIG, &text, &[]) else { return Ok(true) };
    let meaning = config.to_toml()?;
    Ok(meaning != text && meaning != plan.config.to_toml()?)
}

/// `earlier-001`, ... of the run, in no order.
fn kept_folders(run_dir: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let unreadable = |source| firebrick_storage::StorageError::io(run_dir, "list", source);
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(run_dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        folders.extend(number(&path).is_some().then_some(path));
    }
    Ok(folders)
}

fn number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix("earlier-")?.parse().ok()
}

fn next_name(kept: &[PathBuf]) -> String {
    let newest = kept.iter().filter_map(|path| number(path)).max().unwrap_or(0);
    format!("earlier-{:03}", newest.saturating_add(1))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((std::fs::read(one), std::fs::read(other)), (Ok(one), Ok(other)) if one == other)
}
