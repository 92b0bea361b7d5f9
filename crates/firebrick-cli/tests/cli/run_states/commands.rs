//! The commands: each run on a folder in some state, and a word for what came of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use firebrick::Trainer;
use firebrick::train::backend::BackendChoice;
use firebrick::train::checkpoint::Which;
use firebrick::train::event::WeightsKind;
use firebrick::train::run_folder::{Resume, recorded_config};
use firebrick::train::trained::TrainedRun;
use firebrick::train::{Config, ErrorKind, TrainError};

use super::files::{Files, files, lost};
use super::{checkpoint, config};

/// What came of it in one word, or what was lost.
type Ended = Result<String, String>;

/// A name, and what is done to a folder and the run in it.
type Tried = (&'static str, fn(&Path, &Path) -> Ended);

/// As the table's head has it, and what it does in a folder that holds `run`.
pub const COMMANDS: &[Tried] = &[
    ("train", |folder, run| train(folder, run, Some(run), Resume::Fresh)),
    ("--resume", |folder, run| train(folder, run, Some(run), Resume::Latest)),
    ("--resume=RUN", |folder, run| train(folder, run, None, Resume::From(run.to_owned()))),
    ("--resume=OLDER", |folder, run| train(folder, run, None, Resume::From(checkpoint(run, 6)))),
    ("--resume=NEWEST", |folder, run| train(folder, run, None, Resume::From(checkpoint(run, 8)))),
    ("--resume=OLDER --run-dir B", |folder, run| {
        train(folder, run, Some(&folder.join("b")), Resume::From(checkpoint(run, 6)))
    }),
    ("evaluate, predict, export", |_, run| open(run, run, Which::Latest)),
    ("--checkpoint best", |_, run| open(run, run, Which::Best)),
    ("evaluate OLDER", |_, run| open(run, &checkpoint(run, 6), Which::Latest)),
    ("verify", |_, run| verify(run)),
];

/// `train` with the run's own config where it is there, as the command line does it.
fn train(folder: &Path, run: &Path, run_dir: Option<&Path>, resume: Resume) -> Ended {
    let before = files(run);
    let refused = |error: String| is_untouched(&before, run).and_then(|()| refusal(&error));
    let own = match &resume {
        Resume::From(path) => match recorded_config(path) {
            Ok(own) => own,
            Err(error) => return refused(error.to_string()),
        },
        Resume::Fresh | Resume::Latest => None,
    };
    let config = match own.map(|(text, place)| Config::from_toml(&place, &text, &[])) {
        Some(Ok(own)) => own,
        // The command line says beside the error what to do.
        Some(Err(_)) => return is_untouched(&before, run).map(|()| "refuses".to_owned()),
        None => config(&[]),
    };
    let mut trainer = Trainer::new(config).resume(resume);
    if let Some(run_dir) = run_dir {
        trainer = trainer.run_dir(run_dir);
    }
    match trainer.run() {
        Err(error) => {
            if error.kind() != ErrorKind::Storage {
                return Err(format!("exit code of {:?}: {error}", error.kind()));
            }
            let others: Vec<PathBuf> =
                others(folder, run).into_iter().filter(|path| !files(path).is_empty()).collect();
            if !others.is_empty() {
                return Err(format!("refused, but made {others:?}: {error}"));
            }
            refused(error.to_string())
        }
        Ok(outcome) => {
            if outcome.summary.steps != 8 || outcome.summary.status != "completed" {
                return Err(format!("ended with {:?}", outcome.summary));
            }
            came_to_its_end(&outcome.run_dir)?;
            if outcome.run_dir != run {
                is_untouched(&before, run)?;
                return Ok("branches off".to_owned());
            }
            went_on(&before, &files(run))
        }
    }
}

/// What the words of an error promise: that something can be done.
fn refusal(error: &str) -> Ended {
    let says_what_to_do =
        ["name another", "move", "put", "raise", "set these keys", "use another one", "--resume", "expected"];
    match says_what_to_do.iter().any(|words| error.contains(words)) {
        true => Ok("refuses".to_owned()),
        false => Err(format!("says nothing to do: {error}")),
    }
}

fn is_untouched(before: &Files, run: &Path) -> Result<(), String> {
    let after = files(run);
    let changed = before.iter().find(|(name, bytes)| after.get(*name) != Some(*bytes)).map(|(name, _)| name);
    let added = after.keys().find(|name| !before.contains_key(*name));
    changed.or(added).map_or(Ok(()), |name| Err(format!("{name} changed")))
}

/// What happened in the folder itself.
fn went_on(before: &Files, after: &Files) -> Ended {
    if let Some(name) = lost(before, after) {
        return Err(format!("{name} is gone"));
    }
    let is_in = |name: &str, files: &Files| files.keys().any(|file| file.contains(name));
    let is_new = |name: &str| is_in(name, after) && !is_in(name, before);
    let lines = |files: &Files| {
        files.get("metrics.jsonl").map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
    };
    let word = match (is_in("/step-", before), lines(before) == lines(after)) {
        (false, _) => "starts",
        (true, true)
            if before.get("checkpoints/step-000000008/MANIFEST.json")
                == after.get("checkpoints/step-000000008/MANIFEST.json") =>
        {
            "is done"
        }
        (true, _) => "goes on",
    };
    let kept = if is_new("earlier-001") || is_new("set-aside-") { ", keeps" } else { "" };
    Ok(format!("{word}{kept}"))
}

/// Each step has its line once, and the newest checkpoint is that of the last step.
fn came_to_its_end(run: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let steps: Vec<u64> =
        records.filter(|line| line["event"] == "step").map(|line| line["step"].as_u64().unwrap()).collect();
    if steps != (1..=8).collect::<Vec<_>>() {
        return Err(format!("{} has the steps {steps:?}", run.display()));
    }
    let latest = std::fs::read_to_string(run.join("checkpoints/LATEST")).unwrap_or_default();
    let is_there = checkpoint(run, 8).is_dir() && latest == "step-000000008\n";
    if is_there { Ok(()) } else { Err(format!("LATEST is {latest}")) }
}

/// Folders beside the run, but the one that a link leads to.
fn others(folder: &Path, run: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path != run && path.file_name().is_some_and(|name| name != "moved")).collect()
}

fn open(run: &Path, path: &Path, which: Which) -> Ended {
    let before = files(run);
    let device = "flex".parse::<BackendChoice>().unwrap().open().unwrap().device;
    let opened: Result<TrainedRun, TrainError> = TrainedRun::open(path, which, WeightsKind::Raw, &device);
    is_untouched(&before, run)?;
    match opened {
        Ok(opened) => Ok(format!("step {}", opened.state.progress.position.step)),
        Err(error) => {
            if error.kind() == ErrorKind::Storage {
                Ok("refuses".to_owned())
            } else {
                Err(error.to_string())
            }
        }
    }
}

fn verify(run: &Path) -> Ended {
    let before = files(run);
    let output = Command::new(env!("CARGO_BIN_EXE_firebrick")).arg("verify").arg(run).output().unwrap();
    is_untouched(&before, run)?;
    match output.status.code() {
        Some(0) => Ok("good".to_owned()),
        Some(4) => Ok("says so".to_owned()),
        other => Err(format!("ended with {other:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
