//! A power cut, and an end of the process, after each operation of a run that branches off another.

use std::path::Path;

use firebrick::prelude::*;
use firebrick::train::checkpoint::folder_name;
use firebrick::train::run_folder::Resume;

use super::owner::bytes_of;
use super::power_cut::{Disk, Unsynced};
use super::recorder::Recorder;
use super::{assert_nothing_lost, config, scratch};

/// What a restart loop types: the same command, which makes the branch or goes on in it.
fn branch(checkpoint: &Path, run_dir: &Path) -> Result<Outcome<Network>, TrainError> {
    let config = config(&[("trainer.keep_last", "9")]);
    Trainer::new(config).run_dir(run_dir).resume(Resume::From(checkpoint.to_owned())).run()
}

#[test]
fn a_branch_cut_off_anywhere_is_made_and_ends_as_if_nothing_had_happened() {
    let folder = scratch();
    let whole = folder.path().join("whole");
    let config = config(&[("trainer.keep_last", "9")]);
    let expected = Trainer::new(config).run_dir(&whole).run().unwrap().summary;
    let checkpoint = whole.join("checkpoints").join(folder_name(4));
    let before = bytes_of(&whole);
    let recorded_in = folder.path().join("recorded");
    std::fs::create_dir(&recorded_in).unwrap();
    let recorder = Recorder::start(&recorded_in);
    branch(&checkpoint, &recorded_in.join("run")).unwrap();
    let changes = recorder.stop();
    assert!(changes.len() > 80, "{} changes", changes.len());
    let mut disk = Disk::new();
    let kinds = [Unsynced::Dropped, Unsynced::Torn, Unsynced::Empty, Unsynced::Kept];
    for (index, change) in changes.iter().enumerate() {
        disk.make(change);
        // Each operation meets one kind of loss, and each part of the work all of them.
        let unsynced = kinds[index % kinds.len()];
        let cut = scratch();
        let after = cut.path().join("after");
        disk.after_a_cut(0, unsynced, &after);
        let run_dir = after.join("run");
        let what = format!("{unsynced:?} after operation {}", index + 1);
        let outcome = branch(&checkpoint, &run_dir).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_nothing_lost(&run_dir, &outcome.summary, &expected, &what);
    }
    assert_eq!(bytes_of(&whole), before);
}
