//! `verify RUN`: every file of a run, and whether they agree with one another.

use std::fs;
use std::path::{Path, PathBuf};

use firebrick::train::Config;
use firebrick::train::checkpoint::{BEST, Checkpoint, LATEST, State};
use firebrick::train::event::Summary;
use serde_json::Value;

use crate::exit::Exit;
use crate::message::Failure;
use crate::output;

/// What is good about a file, or a sentence that names it and says what is wrong.
type Finding = Result<String, String>;

/// Prints a line for each file; a wrong one makes the exit code 4.
pub fn run(run: &Path) -> Result<Exit, Failure> {
    let folder = run.join("checkpoints");
    if !run.join("config.toml").is_file() && !folder.is_dir() {
        let text = format!("{}: expected a run folder, with config.toml in it", run.display());
        return Err(Failure::storage(text));
    }
    let mut report = Report { exit: Exit::Done };
    let mut newest: Option<(PathBuf, State)> = None;
    for path in checkpoints(&folder)? {
        let read = Checkpoint::read(&path).and_then(|checkpoint| checkpoint.of_run(run));
        let read = read.map_err(|error| error.to_string());
        report.tell(&path, read.as_ref().map(of_checkpoint).map_err(Clone::clone))?;
        newest = read.ok().map(|checkpoint| (path, checkpoint.state)).or(newest);
    }
    let Some((_, state)) = &newest else {
        return Err(Failure::storage(format!("{}: holds no good checkpoint", folder.display())));
    };
    for name in [LATEST, BEST] {
        let path = folder.join(name);
        if path.exists() {
            report.tell(&path, pointer(&path))?;
        }
    }
    report.tell(&run.join("config.toml"), config(&run.join("config.toml")))?;
    report.tell(&run.join("metrics.jsonl"), metrics(&run.join("metrics.jsonl"), state))?;
    report.tell(
        &run.join("environment.json"),
        json(&run.join("environment.json")).map(|_| "readable".to_owned()),
    )?;
    for (name, check) in [
        ("summary.json", summary as fn(&Path, &State) -> Finding),
        ("diverged.json", diverged),
        ("branch.json", branch),
    ] {
        let path = run.join(name);
        if path.exists() {
            report.tell(&path, check(&path, state))?;
        }
    }
    for path in leftovers(&[run, &folder])? {
        output::line(format!("{}: left by a crash; the next --resume removes it", path.display()))?;
    }
    Ok(report.exit)
}

struct Report {
    exit: Exit,
}

impl Report {
    fn tell(&mut self, path: &Path, finding: Finding) -> Result<(), Failure> {
        match finding {
            Ok(good) => output::line(format!("{}: good, {good}", path.display())),
            Err(wrong) => {
                self.exit = Failure::storage(wrong).report();
                Ok(())
            }
        }
    }
}

/// The checkpoint folders, oldest first.
fn checkpoints(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = names(folder)?;
    paths.retain(|path| path.is_dir() && is_named(path, |name| name.starts_with("step-")));
    if paths.is_empty() {
        return Err(Failure::storage(format!("{}: holds no checkpoint yet", folder.display())));
    }
    paths.sort();
    Ok(paths)
}

fn leftovers(folders: &[&Path]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths: Vec<PathBuf> =
        folders.iter().map(|folder| names(folder)).collect::<Result<Vec<_>, _>>()?.concat();
    paths.retain(|path| is_named(path, |name| name.starts_with('.') && name.contains(".tmp-")));
    Ok(paths)
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |error| Failure::storage(format!("{}: cannot list: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(failure)?;
    entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failure)
}

/// Whether a listed path's name is one that we give; others may be in any alphabet, or in none.
fn is_named(path: &Path, is_ours: impl Fn(&str) -> bool) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours)
}

fn of_checkpoint(checkpoint: &Checkpoint) -> String {
    format!("step {}", checkpoint.state.progress.position.step)
}

/// `LATEST` or `BEST`: one line, the name of a checkpoint beside it, which has a line of its own.
fn pointer(path: &Path) -> Finding {
    let text = read(path)?;
    let name = text.trim();
    let target = path.with_file_name(name);
    if !name.starts_with("step-") || name.contains('/') || !target.is_dir() {
        return Err(wrong(path, "the name of a checkpoint beside it", &format!("`{name}`")));
    }
    Ok(format!("names {name}"))
}

fn config(path: &Path) -> Finding {
    if !path.exists() {
        let expected = "a file, which the next --resume writes again from the newest checkpoint";
        return Err(wrong(path, expected, "none"));
    }
    Config::from_file(path, &[]).map_err(|error| error.to_string())?;
    Ok("every key is known".to_owned())
}

/// Each step has its line once and in order up to the length that the newest checkpoint recorded;
/// what follows is trained again by the next resume.
fn metrics(path: &Path, newest: &State) -> Finding {
    let text = read(path)?;
    let recorded = newest.metrics_bytes;
    let cut = usize::try_from(recorded).ok().and_then(|recorded| text.split_at_checked(recorded));
    let Some((lines, rest)) = cut else {
        let expected = format!("at least the {recorded} bytes that the newest checkpoint recorded");
        return Err(wrong(path, &expected, &format!("{} bytes", text.len())));
    };
    let mut steps = 0;
    for (index, line) in lines.lines().enumerate() {
        let place =
            |expected: &str, got: &str| wrong(path, expected, &format!("{got} in line {}", index + 1));
        let record: Value = serde_json::from_str(line).map_err(|error| place("JSON", &error.to_string()))?;
        let step = record["step"].as_u64();
        let takes_a_step = record["event"] == "step" || record["event"] == "refused";
        let expected = steps + u64::from(takes_a_step);
        if step != Some(expected) {
            return Err(place(&format!("step {expected}"), &format!("step {}", record["step"])));
        }
        steps = expected;
    }
    let expected = newest.progress.position.step;
    if steps != expected {
        return Err(wrong(path, &format!("steps 1 to {expected}"), &format!("steps 1 to {steps}")));
    }
    Ok(match rest.lines().count() {
        0 => format!("{steps} steps, each once"),
        more => format!("{steps} steps, each once, and {more} lines after the last checkpoint"),
    })
}

/// The end that it tells of is that of the newest checkpoint, unless the run has gone on since.
fn summary(path: &Path, newest: &State) -> Finding {
    let summary: Summary =
        serde_json::from_value(json(path)?).map_err(|error| wrong(path, "a summary", &error.to_string()))?;
    let (step, sha256) = (newest.progress.position.step, &newest.weights_sha256);
    if summary.steps > step {
        return Err(wrong(
            path,
            &format!("at most the {step} steps of the newest good checkpoint"),
            &summary.steps.to_string(),
        ));
    }
    if summary.steps == step && summary.weights_sha256 != *sha256 {
        let expected = format!("weights_sha256 {sha256}, as the newest checkpoint says");
        return Err(wrong(path, &expected, &summary.weights_sha256));
    }
    Ok(format!("{} at step {}", summary.status, summary.steps))
}

fn diverged(path: &Path, _newest: &State) -> Finding {
    Ok(format!("{} at step {}", json(path)?["what"], json(path)?["step"]))
}

fn branch(path: &Path, newest: &State) -> Finding {
    let branch = json(path)?;
    let step = branch["step"].as_u64().filter(|step| *step <= newest.progress.position.step);
    let step =
        step.ok_or_else(|| wrong(path, "a step that the run has come to", &branch["step"].to_string()))?;
    Ok(format!("off {} at step {step}", branch["run"]))
}

fn json(path: &Path) -> Result<Value, String> {
    serde_json::from_str(&read(path)?).map_err(|error| wrong(path, "JSON", &error.to_string()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: cannot read: {error}", path.display()))
}

fn wrong(path: &Path, expected: &str, got: &str) -> String {
    format!("{}: expected {expected}, got {got}", path.display())
}
