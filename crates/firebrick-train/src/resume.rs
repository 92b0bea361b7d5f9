//! Where a run begins: in a fresh folder, or in an earlier process's at its newest good checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebrick_storage::{MANIFEST_FILE, RunLock};

use crate::checkpoint::{self, Checkpoint, Which};
use crate::error::TrainError;
use crate::plan::Plan;
use crate::run_folder::{Resume, RunFolder, RunLocation, is_run};

/// Keys that may differ from the run that is gone on with: none of them changes a number that the
/// steps behind the checkpoint have produced.
const SAFE_KEYS: [&str; 8] = [
    "trainer.epochs",
    "trainer.max_steps",
    "trainer.checkpoint_every",
    "trainer.keep_last",
    "data.workers",
    "data.root",
    "data.download",
    "output",
];

/// What a run starts from.
pub(crate) struct Begin {
    pub folder: RunFolder,
    pub checkpoint: Option<Checkpoint>,
    pub notices: Vec<String>,
}

pub(crate) fn begin(plan: &Plan, location: &RunLocation) -> Result<Begin, TrainError> {
    match &location.resume {
        Resume::Fresh => fresh(plan, location.run_dir.as_deref()),
        Resume::Latest => {
            let run_dir = location.run_dir.clone().or_else(|| newest_run(plan));
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
    Ok(Begin { folder: RunFolder::create(plan, run_dir)?, checkpoint: None, notices: Vec::new() })
}

fn go_on(plan: &Plan, run_dir: &Path, which: &Which) -> Result<Begin, TrainError> {
    let lock = RunLock::acquire(run_dir)?;
    checkpoint::tidy(run_dir)?;
    let mut notices = Vec::new();
    let checkpoint = checkpoint::find(run_dir, which, &mut notices)?;
    if let Some(checkpoint) = &checkpoint {
        check_same_run(plan, checkpoint, &mut notices)?;
    }
    let metrics_bytes = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.state.metrics_bytes);
    let folder = RunFolder::reopen(plan, run_dir, lock, metrics_bytes)?;
    Ok(Begin { folder, checkpoint, notices })
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
        _ => Err(TrainError::Checkpoint {
            path: path.to_owned(),
            message: "expected a run folder (with config.toml) or a checkpoint folder of one \
                      (run/checkpoints/step-...), found neither"
                .to_owned(),
        }),
    }
}

/// The highest-numbered run that this config made below `output.root`.
fn newest_run(plan: &Plan) -> Option<PathBuf> {
    let output = &plan.config.output;
    if let Some(name) = &output.name {
        return Some(output.root.join(name));
    }
    let number = |path: &Path| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(&plan.name)?.strip_prefix('-')?.parse().ok()
    };
    std::fs::read_dir(&output.root)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_run(path))
        .filter_map(|path| Some((number(&path)?, path)))
        .max()
        .map(|(_, path)| path)
}

fn check_same_run(plan: &Plan, checkpoint: &Checkpoint, notices: &mut Vec<String>) -> Result<(), TrainError> {
    let state = &checkpoint.state;
    let differences = differences(&state.config, &plan.config.to_toml()?);
    let (backend, other): (Vec<_>, Vec<_>) =
        differences.into_iter().partition(|difference| difference.key == "trainer.backend");
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

/// A key that two configs give different values.
struct Difference {
    key: String,
    before: String,
    now: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {} -> {}", self.key, self.before, self.now)
    }
}

fn differences(before: &str, now: &str) -> Vec<Difference> {
    let (before, now) = (flat(before), flat(now));
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let absent = || "(absent)".to_owned();
    keys.into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .filter(|key| !is_safe(key))
        .map(|key| Difference {
            key: key.clone(),
            before: before.get(key).cloned().unwrap_or_else(absent),
            now: now.get(key).cloned().unwrap_or_else(absent),
        })
        .collect()
}

fn is_safe(key: &str) -> bool {
    SAFE_KEYS
        .iter()
        .any(|safe| key == *safe || key.strip_prefix(safe).is_some_and(|rest| rest.starts_with('.')))
}

/// `table.key -> value`, every leaf.
fn flat(text: &str) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&path, value, into);
                }
            }
            leaf => {
                into.insert(prefix.to_owned(), leaf.to_string());
            }
        }
    }
    let mut leaves = BTreeMap::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        walk("", &toml::Value::Table(table), &mut leaves);
    }
    leaves
}
