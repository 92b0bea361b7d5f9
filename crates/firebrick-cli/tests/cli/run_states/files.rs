//! Folders as names and bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file below a folder with its bytes, and every folder with none; links as what they point to.
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    collect(folder, folder, &mut files);
    files
}

fn collect(root: &Path, folder: &Path, into: &mut Files) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        // Whether somebody holds the folder is nobody's work.
        if name.ends_with(".lock") {
            continue;
        }
        if path.is_dir() {
            into.insert(format!("{name}/"), Vec::new());
            collect(root, &path, into);
        } else {
            into.insert(name, fs::read(&path).unwrap_or_default());
        }
    }
}

pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What of `before` a run that went on in the folder has lost, if anything.
pub fn lost(before: &Files, after: &Files) -> Option<String> {
    before.iter().find(|(name, bytes)| !is_kept(name, bytes, before, after)).map(|(name, _)| name.clone())
}

fn is_kept(name: &str, bytes: &[u8], before: &Files, after: &Files) -> bool {
    let is_same_elsewhere = || {
        let file = name.rsplit('/').next().unwrap();
        after.iter().any(|(other, found)| other.rsplit('/').next() == Some(file) && found == bytes)
    };
    // Nor what a process leaves behind that ends while it writes.
    let is_nothing =
        name.ends_with('/') || name.contains(".tmp-") || name == "metrics.jsonl" && bytes.is_empty();
    if is_nothing || after.get(name).is_some_and(|found| found == bytes) || is_same_elsewhere() {
        return true;
    }
    let now = after.get(name).map(Vec::as_slice).unwrap_or_default();
    match name {
        // Of each step the same line, but for times; what follows the last whole line is a crash's.
        "metrics.jsonl" => {
            let (then, now) = (step_lines(bytes), step_lines(now));
            !then.is_empty() && then.iter().all(|line| now.contains(line))
        }
        // The end of a part of the run, replaced by that of the whole.
        "summary.json" => steps_of_summary(bytes) < steps_of_summary(now),
        // Of this run; each process writes its own.
        "environment.json" => bytes.windows(12).any(|part| part == b"\"firebrick\":"),
        "config.toml" => bytes.is_empty() || !bytes.contains(&b'#'),
        "checkpoints/LATEST" | "checkpoints/BEST" => true,
        // A checkpoint that trainer.keep_last does not keep any more, or one that was written again.
        _ => is_of_replaced_checkpoint(name, before, after),
    }
}

/// What a step's line says, but for the time that it took.
fn step_lines(text: &[u8]) -> Vec<serde_json::Value> {
    let lines = text.split(|byte| *byte == b'\n');
    let mut records: Vec<serde_json::Value> =
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    records.retain(|record| record["event"] == "step");
    for record in &mut records {
        record["images_per_second"] = serde_json::Value::Null;
    }
    records
}

fn steps_of_summary(bytes: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(bytes).ok()?["steps"].as_u64()
}

/// Whether the file is of a checkpoint that this run's own retention removed, or that it wrote again.
fn is_of_replaced_checkpoint(name: &str, before: &Files, after: &Files) -> bool {
    let Some((folder, _)) = name.split_once("/step-").and_then(|_| name.rsplit_once('/')) else {
        return false;
    };
    let state = |files: &Files| {
        let bytes = files.get(&format!("{folder}/state.json"))?;
        serde_json::from_slice::<serde_json::Value>(bytes).ok()
    };
    let is_own =
        |state: &serde_json::Value| state["config"].as_str().is_some_and(|text| text.contains("lr = 0.05"));
    match (state(before), state(after)) {
        // Damaged beyond telling whose it is.
        (None, _) => true,
        (Some(then), Some(now)) => {
            is_own(&then) && then["weights_sha256"] == now["weights_sha256"] || !is_whole(folder, before)
        }
        (Some(then), None) => is_own(&then),
    }
}

fn is_whole(folder: &str, files: &Files) -> bool {
    files.contains_key(&format!("{folder}/MANIFEST.json"))
}
