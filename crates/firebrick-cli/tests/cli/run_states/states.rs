//! The states: what has happened to the folder of a finished run of eight steps.

use std::fs;
use std::path::Path;

use super::files::copy_tree;
use super::{Runs, checkpoint};

/// A name, as the table has it, and what makes a folder with a finished run look so.
pub type State = (&'static str, fn(&Runs, &Path));

pub const STATES: &[State] = &[
    ("nothing there", |_, run| fs::remove_dir_all(run).unwrap()),
    ("an empty folder", |_, run| keep_only(run, &[])),
    ("ended before `config.toml`", |_, run| {
        keep_only(run, &["environment.json", ".lock"]);
        fs::write(run.join("metrics.jsonl"), "").unwrap();
        fs::create_dir(run.join("checkpoints")).unwrap();
    }),
    ("ended before the first checkpoint", |_, run| {
        keep_only(run, &["environment.json", "config.toml"]);
        fs::write(run.join("metrics.jsonl"), "").unwrap();
        fs::create_dir(run.join("checkpoints")).unwrap();
    }),
    ("killed after step 7", |_, run| killed(run)),
    ("stopped after step 6", |runs, run| {
        killed(run);
        keep_lines_before(run, 7);
        stopped(runs, run);
    }),
    ("finished", |_, _| ()),
    ("`config.toml` absent", |_, run| remove(run, "config.toml")),
    ("`config.toml` cut", |_, run| cut(run, "config.toml")),
    ("`config.toml` empty", |_, run| fs::write(run.join("config.toml"), "").unwrap()),
    ("`config.toml` of another run", |runs, run| take(runs, run, "config.toml")),
    ("`config.toml` older: fewer epochs", |_, run| edit(run, "config.toml", "epochs = 4", "epochs = 3")),
    ("`config.toml` with comments", |_, run| {
        edit(run, "config.toml", "epochs = 4", "# a note of mine\nepochs = 4")
    }),
    ("`metrics.jsonl` absent", |_, run| remove(run, "metrics.jsonl")),
    ("`metrics.jsonl` empty", |_, run| fs::write(run.join("metrics.jsonl"), "").unwrap()),
    ("`metrics.jsonl` cut in the last line", |_, run| cut_by(run, "metrics.jsonl", 5)),
    ("`metrics.jsonl` older: up to step 3", |_, run| keep_lines(run, 3)),
    ("`metrics.jsonl` of another run", |_, run| {
        fs::write(run.join("metrics.jsonl"), "{\"loss\": 1.0, \"batch\": 7}\n".repeat(200)).unwrap()
    }),
    ("`metrics.jsonl` with a line of a person's at its end", |_, run| {
        let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        fs::write(run.join("metrics.jsonl"), format!("{text}this was the good one\n")).unwrap();
    }),
    ("`summary.json` absent", |_, run| remove(run, "summary.json")),
    ("`summary.json` cut", |_, run| cut(run, "summary.json")),
    ("`summary.json` older: stopped at step 6", |runs, run| stopped(runs, run)),
    ("`summary.json` of another run", |runs, run| take(runs, run, "summary.json")),
    ("`environment.json` absent", |_, run| remove(run, "environment.json")),
    ("`environment.json` of another program", |_, run| other_environment(run)),
    ("`checkpoints/` absent", |_, run| fs::remove_dir_all(run.join("checkpoints")).unwrap()),
    ("`checkpoints/` empty", |_, run| {
        fs::remove_dir_all(run.join("checkpoints")).unwrap();
        fs::create_dir(run.join("checkpoints")).unwrap();
    }),
    ("`checkpoints/` a file", |_, run| {
        fs::remove_dir_all(run.join("checkpoints")).unwrap();
        fs::write(run.join("checkpoints"), "").unwrap();
    }),
    ("`checkpoints/` older: up to step 6", |_, run| {
        fs::remove_dir_all(checkpoint(run, 8)).unwrap();
        pointer(run, "LATEST", 6);
    }),
    ("`checkpoints/` of another run", |runs, run| {
        fs::remove_dir_all(run.join("checkpoints")).unwrap();
        copy_tree(&runs.other().join("checkpoints"), &run.join("checkpoints"));
    }),
    ("newest checkpoint absent", |_, run| fs::remove_dir_all(checkpoint(run, 8)).unwrap()),
    ("newest checkpoint: `model.bpk` cut", |_, run| cut(&checkpoint(run, 8), "model.bpk")),
    ("newest checkpoint: `state.json` cut", |_, run| cut(&checkpoint(run, 8), "state.json")),
    ("newest checkpoint: `MANIFEST.json` absent", |_, run| remove(&checkpoint(run, 8), "MANIFEST.json")),
    ("newest checkpoint: a person's file in it", |_, run| {
        fs::write(checkpoint(run, 8).join("README.txt"), "for the paper").unwrap();
    }),
    ("newest checkpoint of another run", |runs, run| {
        fs::remove_dir_all(checkpoint(run, 8)).unwrap();
        copy_tree(&checkpoint(&runs.other(), 8), &checkpoint(run, 8));
    }),
    ("older checkpoint of another run", |runs, run| {
        fs::remove_dir_all(checkpoint(run, 6)).unwrap();
        copy_tree(&checkpoint(&runs.other(), 6), &checkpoint(run, 6));
    }),
    ("killed; a later checkpoint of another run", |runs, run| {
        killed(run);
        copy_tree(&checkpoint(&runs.other(), 8), &checkpoint(run, 8));
    }),
    ("killed; a later checkpoint without its lines", |runs, run| {
        killed(run);
        copy_tree(&checkpoint(&runs.finished(), 8), &checkpoint(run, 8));
    }),
    ("all checkpoints cut", |_, run| {
        for entry in fs::read_dir(run.join("checkpoints")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                cut(&path, "model.bpk");
            }
        }
    }),
    ("`LATEST` absent", |_, run| remove(run, "checkpoints/LATEST")),
    ("`LATEST` older: step 6", |_, run| pointer(run, "LATEST", 6)),
    ("`LATEST` names what is not there", |_, run| pointer(run, "LATEST", 99)),
    ("`BEST` absent", |_, run| remove(run, "checkpoints/BEST")),
    ("`BEST` names what is not there", |_, run| pointer(run, "BEST", 99)),
    ("only `checkpoints/`", |_, run| keep_only(run, &["checkpoints"])),
    ("only `checkpoints/` and `metrics.jsonl`", |_, run| keep_only(run, &["checkpoints", "metrics.jsonl"])),
    ("a branch without its checkpoint", |_, run| {
        keep_only(run, &["metrics.jsonl"]);
        let branch = "{\"run\": \"/elsewhere\", \"step\": 6, \"manifest_sha256\": \"0\"}";
        fs::write(run.join("branch.json"), branch).unwrap();
    }),
    ("only `config.toml`", |_, run| keep_only(run, &["config.toml"])),
    ("only `metrics.jsonl`", |_, run| keep_only(run, &["metrics.jsonl"])),
    ("only `summary.json`", |_, run| keep_only(run, &["summary.json"])),
    ("only an `environment.json` of another program", |_, run| {
        keep_only(run, &[]);
        other_environment(run);
    }),
    ("files of desktops and file systems everywhere", |_, run| {
        for folder in [run.to_owned(), run.join("checkpoints"), checkpoint(run, 6), checkpoint(run, 8)] {
            for name in [".DS_Store", "._model.bpk", ".nfs000000000000002a", "Thumbs.db", "desktop.ini"] {
                fs::write(folder.join(name), "of the system").unwrap();
            }
        }
    }),
    ("killed; temporary files of the process", |_, run| {
        killed(run);
        copy_tree(&checkpoint(run, 6), &run.join("checkpoints/.step-000000008.tmp-77-3"));
        fs::write(run.join(".summary.json.tmp-77-4"), "{").unwrap();
    }),
    #[cfg(unix)]
    ("moved to another disk, a link in its place", |_, run| {
        let target = run.with_file_name("moved");
        fs::rename(run, &target).unwrap();
        std::os::unix::fs::symlink(&target, run).unwrap();
    }),
];

fn remove(folder: &Path, name: &str) {
    fs::remove_file(folder.join(name)).unwrap();
}

/// Keeps half of a file.
fn cut(folder: &Path, name: &str) {
    let bytes = fs::read(folder.join(name)).unwrap();
    fs::write(folder.join(name), &bytes[..bytes.len() / 2]).unwrap();
}

fn cut_by(folder: &Path, name: &str, count: usize) {
    let bytes = fs::read(folder.join(name)).unwrap();
    fs::write(folder.join(name), &bytes[..bytes.len() - count]).unwrap();
}

fn edit(run: &Path, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(run.join(name)).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(run.join(name), text.replace(from, to)).unwrap();
}

fn take(runs: &Runs, run: &Path, name: &str) {
    fs::copy(runs.other().join(name), run.join(name)).unwrap();
}

fn other_environment(run: &Path) {
    fs::write(run.join("environment.json"), "{\"production\": \"10.0.0.1\"}").unwrap();
}

fn pointer(run: &Path, name: &str, step: u64) {
    fs::write(run.join("checkpoints").join(name), format!("step-{step:09}\n")).unwrap();
}

/// Keeps the lines of `metrics.jsonl` up to that of a step.
fn keep_lines(run: &Path, step: u64) {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let last = format!("{{\"event\":\"step\",\"step\":{step},");
    let end = text.find(&last).map(|begin| begin + text[begin..].find('\n').unwrap() + 1).unwrap();
    fs::write(run.join("metrics.jsonl"), &text[..end]).unwrap();
}

/// Keeps the lines of `metrics.jsonl` before that of a step, evaluations too.
fn keep_lines_before(run: &Path, step: u64) {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let end = text.find(&format!("{{\"event\":\"step\",\"step\":{step},")).unwrap();
    fs::write(run.join("metrics.jsonl"), &text[..end]).unwrap();
}

fn keep_only(run: &Path, names: &[&str]) {
    for entry in fs::read_dir(run).unwrap() {
        let path = entry.unwrap().path();
        if names.contains(&path.file_name().unwrap().to_str().unwrap()) {
            continue;
        } else if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}

/// As a process leaves it that ends in the middle of the last epoch.
fn killed(run: &Path) {
    remove(run, "summary.json");
    fs::remove_dir_all(checkpoint(run, 8)).unwrap();
    pointer(run, "LATEST", 6);
    pointer(run, "BEST", 6);
    keep_lines(run, 7);
}

/// With the summary of a run that was stopped at step 6.
fn stopped(runs: &Runs, run: &Path) {
    let read =
        |path: &Path| -> serde_json::Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let mut summary = read(&runs.finished().join("summary.json"));
    summary["status"] = "stopped".into();
    summary["steps"] = 6.into();
    summary["weights_sha256"] = read(&checkpoint(run, 6).join("state.json"))["weights_sha256"].clone();
    fs::write(run.join("summary.json"), serde_json::to_vec(&summary).unwrap()).unwrap();
}
