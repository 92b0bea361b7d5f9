//! Checkpoints that somebody or something has changed: never used, and told.

use std::path::{Path, PathBuf};

use firebrick::prelude::*;
use firebrick::train::checkpoint::{self, Checkpoint, Which};
use firebrick::train::run_folder::Resume;
use firebrick_storage::{MANIFEST_FILE, commit_folder, remove_folder};

use super::{assert_nothing_lost, config, resume, scratch, uninterrupted};

const DAMAGES: u64 = 2000;

/// A stopped run with several checkpoints, and its two newest.
struct Stopped {
    folder: tempfile::TempDir,
    run_dir: PathBuf,
    older: PathBuf,
    newer: PathBuf,
}

impl Stopped {
    /// Stopped after step 5 of 6, with checkpoints of steps 3, 4 and 5.
    fn new() -> Self {
        let folder = scratch();
        let run_dir = folder.path().join("run");
        let outcome = Trainer::new(config(&[("trainer.keep_last", "3")]))
            .run_dir(&run_dir)
            .on_event(|event| match event {
                Event::Step(step) if step.step == 5 => Control::Stop,
                _ => Control::Continue,
            })
            .run()
            .unwrap();
        assert_eq!(outcome.summary.steps, 5);
        let checkpoint = |step| run_dir.join("checkpoints").join(checkpoint::folder_name(step));
        Self { older: checkpoint(4), newer: checkpoint(5), run_dir, folder }
    }

    /// The newest checkpoint is refused, an automatic resume takes the one before and says so.
    #[track_caller]
    fn assert_falls_back(&self, what: &str) {
        let refused = Checkpoint::read(&self.newer).err().unwrap_or_else(|| panic!("{what}: accepted"));
        assert!(!refused.to_string().is_empty());
        self.assert_finds_the_older(what);
    }

    #[track_caller]
    fn assert_finds_the_older(&self, what: &str) {
        let mut notices = Vec::new();
        let found = checkpoint::find(&self.run_dir, &Which::Latest, &mut notices);
        let found = found.unwrap_or_else(|error| panic!("{what}: {error}")).unwrap();
        assert_eq!(found.path, self.older, "{what}");
        let told = notices.join("\n");
        assert!(told.contains("passed over") && told.contains("step-000000005"), "{what}: {told}");
        assert!(told.contains("going on from") && told.contains("step-000000004"), "{what}: {told}");
    }

    /// Ends as the run that nothing happened to.
    #[track_caller]
    fn assert_goes_on(&self, what: &str) {
        let expected = uninterrupted(self.folder.path());
        let outcome = resume(&self.run_dir).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_nothing_lost(&self.run_dir, &outcome.summary, &expected, what);
    }

    /// Commits the newest checkpoint again with its files changed, and a manifest that agrees.
    fn rewrite(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) {
        let files = files(&self.newer);
        let name = self.newer.file_name().unwrap().to_str().unwrap();
        remove_folder(&self.newer).unwrap();
        commit_folder(self.newer.parent().unwrap(), name, |draft| {
            for (file, bytes) in files.iter().filter(|(file, _)| file != MANIFEST_FILE) {
                std::fs::write(draft.join(file), change(file, bytes.clone())).unwrap();
            }
            Ok(())
        })
        .unwrap();
    }
}

/// Names and contents, in a fixed order.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// The next number of a fixed sequence (SplitMix64).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn no_flipped_bit_and_no_cut_file_is_accepted() {
    let run = Stopped::new();
    let files = files(&run.newer);
    assert_eq!(files.len(), 5, "model, optimiser, average, state, manifest");
    let mut seed = 0;
    for number in 0..DAMAGES {
        let (name, bytes) = &files[number as usize % files.len()];
        let place = random(&mut seed) as usize % bytes.len();
        let mut damaged = bytes.clone();
        let what = if number % 4 == 3 {
            damaged.truncate(place);
            format!("{name} cut to {place} bytes")
        } else {
            let bit = random(&mut seed) % 8;
            damaged[place] ^= 1 << bit;
            format!("{name} with bit {bit} of byte {place} flipped")
        };
        std::fs::write(run.newer.join(name), damaged).unwrap();
        run.assert_falls_back(&what);
        std::fs::write(run.newer.join(name), bytes).unwrap();
    }
    Checkpoint::read(&run.newer).map(drop).unwrap();
    std::fs::write(run.newer.join("model.bpk"), "").unwrap();
    run.assert_goes_on("after damage");
}

#[test]
fn files_swapped_between_two_checkpoints_are_refused() {
    let run = Stopped::new();
    let (older, newer) = (files(&run.older), files(&run.newer));
    for ((name, old), (_, new)) in older.iter().zip(&newer) {
        std::fs::write(run.newer.join(name), old).unwrap();
        run.assert_falls_back(&format!("the older {name}"));
        std::fs::write(run.newer.join(name), new).unwrap();
    }
    // All of them at once: a whole checkpoint under another step's name.
    for (name, old) in &older {
        std::fs::write(run.newer.join(name), old).unwrap();
    }
    run.assert_falls_back("the older checkpoint under the newer one's name");
    run.assert_goes_on("after the swap");
}

#[test]
fn another_runs_checkpoint_is_refused() {
    let run = Stopped::new();
    let other_dir = run.folder.path().join("other");
    let other = config(&[("model.name", "tudui"), ("trainer.epochs", "1")]);
    Trainer::new(other).run_dir(&other_dir).run().unwrap();
    let theirs = files(&other_dir.join("checkpoints").join(checkpoint::folder_name(3)));
    // Its model file alone, with a manifest that agrees.
    run.rewrite(|name, ours| {
        let model = theirs.iter().find(|(theirs, _)| theirs == name && name == "model.bpk");
        model.map_or(ours, |(_, bytes)| bytes.clone())
    });
    let error = resume(&run.run_dir).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("another network's")));
    // All of it, under the newest name.
    remove_folder(&run.newer).unwrap();
    let folder = run.newer.parent().unwrap();
    let name = run.newer.file_name().unwrap().to_str().unwrap();
    commit_folder(folder, name, |draft| {
        let files = theirs.iter().filter(|(name, _)| name != MANIFEST_FILE);
        files.for_each(|(name, bytes)| std::fs::write(draft.join(name), bytes).unwrap());
        Ok(())
    })
    .unwrap();
    run.assert_finds_the_older("another network's checkpoint");
    run.assert_goes_on("after another network's checkpoint");
}

#[test]
fn a_newer_version_is_refused() {
    let run = Stopped::new();
    run.rewrite(|name, bytes| match name {
        "state.json" => {
            let mut state: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            state["format_version"] = 999.into();
            serde_json::to_vec(&state).unwrap()
        }
        _ => bytes,
    });
    run.assert_falls_back("a newer format version");
    let error = Checkpoint::read(&run.newer).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("got 999") && error.contains("use the Firebrick that wrote it"), "{error}");
    run.assert_goes_on("after a newer version");
}

#[test]
fn a_damaged_checkpoint_that_was_named_is_an_error() {
    let run = Stopped::new();
    std::fs::write(run.newer.join("model.bpk"), "not a model").unwrap();
    let result = Trainer::new(config(&[])).resume(Resume::From(run.newer.clone())).run();
    let error = result.err().unwrap();
    assert_eq!(error.kind(), firebrick::train::ErrorKind::Storage);
    assert!(error.to_string().contains("model.bpk"), "{error}");
    let outcome = Trainer::new(config(&[])).resume(Resume::From(run.older.clone())).run().unwrap();
    assert_eq!(outcome.status, Status::Completed);
}

#[test]
fn a_run_whose_every_checkpoint_is_damaged_is_an_error_and_nothing_is_overwritten() {
    let run = Stopped::new();
    let checkpoints = run.newer.parent().unwrap().to_owned();
    let mut damaged = Vec::new();
    for entry in std::fs::read_dir(&checkpoints).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_file(path.join("state.json")).unwrap();
            damaged.push(path);
        }
    }
    let metrics = std::fs::read(run.run_dir.join("metrics.jsonl")).unwrap();
    assert!(resume(&run.run_dir).is_err());
    assert!(damaged.iter().all(|path| path.is_dir()));
    assert_eq!(std::fs::read(run.run_dir.join("metrics.jsonl")).unwrap(), metrics);
}
