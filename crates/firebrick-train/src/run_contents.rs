//! What lies in a folder that is, was or is to become a run's. Only reads.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::checkpoint::{BEST, LATEST, all_steps};
use crate::error::TrainError;
use crate::event::Summary;
use crate::json::from_json;
use crate::metrics_tail;

/// The files of a run that are there.
#[derive(Debug)]
pub(crate) struct RunContents {
    run_dir: PathBuf,
    /// `config.toml`.
    pub has_config: bool,
    /// `environment.json`, written by Firebrick.
    pub has_environment: bool,
    /// `environment.json`, written by somebody else.
    pub has_other_environment: bool,
    /// Length of `metrics.jsonl`.
    pub metrics_bytes: u64,
    /// `summary.json`, readable or not.
    pub has_summary: bool,
    /// `diverged.json`.
    has_divergence: bool,
    /// Steps of the checkpoints, whole or not, the oldest first.
    pub steps: Vec<u64>,
    /// `LATEST` or `BEST`.
    has_pointer: bool,
    /// `branch.json`.
    has_branch: bool,
}

/// The file that says where a branch comes from.
pub(crate) const BRANCH_FILE: &str = "branch.json";

/// What tells an `environment.json` of ours from another program's file of this name.
#[derive(Deserialize)]
struct OurEnvironment {
    #[allow(dead_code)] // only whether it is there
    firebrick: String,
}

impl RunContents {
    /// Looks into a folder, which need not be there.
    pub(crate) fn of(run_dir: &Path) -> Result<Self, TrainError> {
        let there = |name: &str| run_dir.join(name).symlink_metadata().is_ok();
        let checkpoints = run_dir.join("checkpoints");
        let mut steps = all_steps(&checkpoints)?;
        steps.sort_unstable();
        let environment = run_dir.join("environment.json");
        let has_environment = from_json::<OurEnvironment>(&environment).is_ok();
        Ok(Self {
            run_dir: run_dir.to_owned(),
            has_config: there("config.toml"),
            has_environment,
            has_other_environment: there("environment.json") && !has_environment,
            metrics_bytes: metrics_tail::length(&run_dir.join("metrics.jsonl"))?.unwrap_or(0),
            has_summary: there("summary.json"),
            has_divergence: there("diverged.json"),
            has_branch: there(BRANCH_FILE),
            steps,
            has_pointer: [LATEST, BEST].iter().any(|name| checkpoints.join(name).symlink_metadata().is_ok()),
        })
    }

    /// Whether a fresh run may begin here: nothing of a run is there but what a process leaves that died before the
    /// folder had its `config.toml`.
    pub(crate) fn is_fresh(&self) -> bool {
        !self.has_config && !self.has_traces() && !self.has_other_environment && !self.has_branch
    }

    /// Whether the folder is a run's: it has its config, or checkpoints, which hold it, too.
    pub(crate) fn is_run(&self) -> bool {
        self.has_config || !self.steps.is_empty()
    }

    /// Whether a process of Firebrick has begun a run here, which has not yet taken a step.
    pub(crate) fn is_untrained(&self) -> bool {
        let has_results =
            self.metrics_bytes > 0 || self.has_summary || !self.steps.is_empty() || self.has_pointer;
        self.has_config && self.has_environment && !has_results
    }

    /// What of a run is there, as in `metrics.jsonl (up to step 50) and summary.json (completed at step 50)`.
    pub(crate) fn found(&self) -> String {
        let mut found = Vec::new();
        if self.has_config {
            found.push("config.toml".to_owned());
        }
        match self.steps.as_slice() {
            [] if self.has_pointer => {
                found.push("checkpoints/LATEST or BEST without a checkpoint".to_owned())
            }
            [] => {}
            [step] => found.push(format!("the checkpoint of step {step}")),
            [first, .., last] => {
                found.push(format!("{} checkpoints, of steps {first} to {last}", self.steps.len()));
            }
        }
        if self.metrics_bytes > 0 {
            let step = metrics_tail::newest_step(&self.run_dir.join("metrics.jsonl")).ok().flatten();
            found.push(step.map_or_else(
                || format!("metrics.jsonl ({} bytes)", self.metrics_bytes),
                |step| format!("metrics.jsonl (up to step {step})"),
            ));
        }
        if self.has_summary {
            let summary: Option<Summary> = from_json(&self.run_dir.join("summary.json")).ok();
            found.push(summary.map_or_else(
                || "summary.json".to_owned(),
                |summary| format!("summary.json ({} at step {})", summary.status, summary.steps),
            ));
        }
        if self.has_divergence {
            found.push("diverged.json".to_owned());
        }
        if self.has_branch {
            found.push("the branch.json of a branch".to_owned());
        }
        if self.has_other_environment {
            found.push("an environment.json that Firebrick did not write".to_owned());
        }
        match found.split_last() {
            None => "nothing".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        }
    }

    fn has_traces(&self) -> bool {
        let has_files = self.metrics_bytes > 0 || self.has_summary || self.has_divergence;
        has_files || !self.steps.is_empty() || self.has_pointer
    }
}
