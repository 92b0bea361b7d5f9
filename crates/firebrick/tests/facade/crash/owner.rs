//! The owner of a run folder who removes, moves or replaces it, or files in it, while the run writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebrick::prelude::*;
use firebrick::train::ErrorKind;

use super::{assert_nothing_lost, config, resume, scratch, uninterrupted};

/// Every file below a folder with its bytes.
pub fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut bytes_of(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

/// What is there when its turn comes: a run may be saving beside it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    let Ok(entries) = std::fs::read_dir(from) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if let Err(error) = std::fs::copy(&path, &target) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", path.display());
        }
    }
}

/// What an owner does to a folder, and a name for it.
#[cfg(unix)]
type Act = (&'static str, fn(&Path));

/// A run whose owner does something when it tells its event of this number; the error that it ends with.
fn disturbed(run_dir: &Path, at: usize, act: impl Fn(&Path)) -> Result<Outcome<Network>, TrainError> {
    let mut events = 0;
    Trainer::new(config(&[]))
        .run_dir(run_dir)
        .on_event(|event| {
            // The last event comes when everything is written.
            if !matches!(event, Event::Finished(_)) {
                events += 1;
                if events == at {
                    act(run_dir);
                }
            }
            Control::Continue
        })
        .run()
}

/// How many events a run tells before its last.
fn num_events() -> usize {
    let folder = scratch();
    let mut events = 0;
    let count = |event: &Event| {
        events += usize::from(!matches!(event, Event::Finished(_)));
        Control::Continue
    };
    Trainer::new(config(&[])).run_dir(folder.path().join("run")).on_event(count).run().unwrap();
    events
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_removed_moved_or_replaced_ends_the_run_with_an_error() {
    let acts: [Act; 4] = [
        ("removed", |run| while std::fs::remove_dir_all(run).is_err() {}),
        ("moved", |run| std::fs::rename(run, run.with_file_name("moved")).unwrap()),
        ("replaced by an empty one", |run| {
            std::fs::rename(run, run.with_file_name("moved")).unwrap();
            std::fs::create_dir(run).unwrap();
        }),
        ("replaced by a copy of itself", |run| {
            std::fs::rename(run, run.with_file_name("moved")).unwrap();
            copy(&run.with_file_name("moved"), run);
        }),
    ];
    let events = num_events();
    for (what, act) in acts {
        for at in (1..=events).step_by(3).chain([events - 1, events]) {
            let folder = scratch();
            let run_dir = folder.path().join("run");
            let ended = disturbed(&run_dir, at, act);
            let error = ended.err().unwrap_or_else(|| panic!("{what} at event {at}: completed"));
            assert_eq!(error.kind(), ErrorKind::Storage, "{what} at event {at}: {error}");
            assert!(error.to_string().contains("run"), "{what} at event {at}: {error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_lies_in_the_place_of_a_replaced_folder_stays_as_it_is() {
    let folder = scratch();
    let run_dir = folder.path().join("run");
    let error = disturbed(&run_dir, 6, |run| {
        std::fs::rename(run, run.with_file_name("moved")).unwrap();
        std::fs::create_dir(run).unwrap();
        std::fs::write(run.join("notes.txt"), "mine").unwrap();
    });
    assert!(error.err().unwrap().to_string().contains("was removed, moved or replaced"));
    let names: Vec<_> =
        std::fs::read_dir(&run_dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["notes.txt"]);
    // What the run had saved is where its folder is now.
    let moved = folder.path().join("moved");
    let expected = uninterrupted(folder.path());
    assert_nothing_lost(&moved, &resume(&moved).unwrap().summary, &expected, "moved");
}

#[cfg(unix)]
#[test]
fn metrics_that_an_editor_has_replaced_end_the_run_before_its_next_checkpoint() {
    let folder = scratch();
    let run_dir = folder.path().join("run");
    let error = disturbed(&run_dir, 6, |run| {
        let text = std::fs::read(run.join("metrics.jsonl")).unwrap();
        std::fs::write(run.join("new"), text).unwrap();
        std::fs::rename(run.join("new"), run.join("metrics.jsonl")).unwrap();
    });
    assert!(error.err().unwrap().to_string().contains("metrics.jsonl: was removed, moved or replaced"));
    let expected = uninterrupted(folder.path());
    assert_nothing_lost(&run_dir, &resume(&run_dir).unwrap().summary, &expected, "metrics replaced");
}

#[test]
fn a_lock_file_that_is_removed_is_made_again() {
    let folder = scratch();
    let run_dir = folder.path().join("run");
    let outcome = disturbed(&run_dir, 6, |run| std::fs::remove_file(run.join(".lock")).unwrap()).unwrap();
    assert_nothing_lost(&run_dir, &outcome.summary, &uninterrupted(folder.path()), "lock file");
    assert!(run_dir.join(".lock").exists());
}

/// A line between the run's own would make the byte counts of every later checkpoint wrong.
#[test]
fn a_line_that_somebody_appends_during_a_run_ends_it_before_the_next_checkpoint() {
    let folder = scratch();
    let expected = uninterrupted(folder.path());
    for at in (2..num_events()).step_by(3) {
        let run_dir = folder.path().join(format!("appended-{at}"));
        let metrics = run_dir.join("metrics.jsonl");
        let append = |_: &Path| {
            let text = std::fs::read_to_string(&metrics).unwrap();
            std::fs::write(&metrics, text + "# looks fine\n").unwrap();
        };
        let Err(error) = disturbed(&run_dir, at, append) else { continue };
        assert_eq!(error.kind(), ErrorKind::Storage, "{at}: {error}");
        assert!(error.to_string().contains("something else writes into it"), "{at}: {error}");
        let text = std::fs::read_to_string(&metrics).unwrap();
        std::fs::write(&metrics, text.replace("# looks fine\n", "")).unwrap();
        let outcome = resume(&run_dir).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_nothing_lost(&run_dir, &outcome.summary, &expected, &format!("event {at}"));
    }
}

/// A person's note in an old checkpoint is not removed with it.
#[test]
fn a_file_that_somebody_put_into_an_old_checkpoint_stays() {
    let folder = scratch();
    let run_dir = folder.path().join("noted");
    let note = run_dir.join("checkpoints/step-000000000/NOTES.md");
    let write = |_: &Path| std::fs::write(&note, "start").unwrap();
    disturbed(&run_dir, 2, write).unwrap();
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "start");
}
