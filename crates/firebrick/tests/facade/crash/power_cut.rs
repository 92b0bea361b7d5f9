//! A power cut after each operation of a run, on a disk that had kept nothing it was not told to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebrick::prelude::*;
use firebrick::train::checkpoint::{self, Which};
use firebrick_storage::remove_leftovers;

use super::recorder::{Change, Recorder};
use super::{assert_nothing_lost, config, resume, scratch, uninterrupted};

/// What the disk shows of what was never flushed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unsynced {
    /// Nothing: no name, no byte.
    Dropped,
    /// All names, and of unflushed bytes the first half.
    Torn,
    /// All names, and none of the unflushed bytes.
    Empty,
    /// Everything: not the power was cut, the process ended.
    Kept,
}

/// A disk with two memories: what programs see (`live`) and what a power cut leaves (`safe`).
pub(super) struct Disk {
    nodes: Vec<Node>,
}

enum Node {
    File { live: Vec<u8>, safe: Vec<u8> },
    Folder { live: Names, safe: Names },
}

type Names = BTreeMap<PathBuf, usize>;

impl Disk {
    /// The folder that is node 0 is there, and empty.
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::Folder { live: Names::new(), safe: Names::new() }] }
    }

    pub(super) fn make(&mut self, change: &Change) {
        match change {
            Change::CreateFile(path) => self.add(path, Node::File { live: Vec::new(), safe: Vec::new() }),
            Change::CreateFolder(path) => {
                self.add(path, Node::Folder { live: Names::new(), safe: Names::new() })
            }
            Change::Append(path, bytes) => self.file(path, |live, _| live.extend(bytes)),
            Change::Truncate(path, bytes) => self.file(path, |live, _| live.truncate(*bytes as usize)),
            Change::SyncFile(path) => self.file(path, |live, safe| safe.clone_from(live)),
            Change::SyncFolder(path) => self.folder(path, |live, safe| safe.clone_from(live)),
            Change::Remove(path) => {
                self.unlink(path).unwrap();
            }
            Change::Rename(from, to) => {
                let node = self.unlink(from).unwrap();
                self.link(to, node);
            }
        }
    }

    fn add(&mut self, path: &Path, node: Node) {
        self.nodes.push(node);
        self.link(path, self.nodes.len() - 1);
    }

    fn link(&mut self, path: &Path, node: usize) {
        let name = PathBuf::from(path.file_name().unwrap());
        self.folder(path.parent().unwrap(), |live, _| {
            live.insert(name, node);
        });
    }

    fn unlink(&mut self, path: &Path) -> Option<usize> {
        let name = PathBuf::from(path.file_name().unwrap());
        let mut node = None;
        self.folder(path.parent().unwrap(), |live, _| node = live.remove(&name));
        node
    }

    fn file(&mut self, path: &Path, change: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) {
        let node = self.find(path);
        let Node::File { live, safe } = &mut self.nodes[node] else {
            panic!("{} is a folder", path.display())
        };
        change(live, safe);
    }

    fn folder(&mut self, path: &Path, change: impl FnOnce(&mut Names, &mut Names)) {
        let node = self.find(path);
        let Node::Folder { live, safe } = &mut self.nodes[node] else {
            panic!("{} is a file", path.display())
        };
        change(live, safe);
    }

    fn find(&self, path: &Path) -> usize {
        path.components().fold(0, |node, part| match &self.nodes[node] {
            Node::Folder { live, .. } => live[Path::new(part.as_os_str())],
            Node::File { .. } => panic!("{} leads through a file", path.display()),
        })
    }

    /// Writes what a power cut would leave to `target`, which is not there yet.
    pub(super) fn after_a_cut(&self, node: usize, unsynced: Unsynced, target: &Path) {
        match &self.nodes[node] {
            Node::Folder { live, safe } => {
                std::fs::create_dir(target).unwrap();
                let names = if matches!(unsynced, Unsynced::Dropped) { safe } else { live };
                names.iter().for_each(|(name, node)| self.after_a_cut(*node, unsynced, &target.join(name)));
            }
            Node::File { live, safe } => {
                let unflushed = live.strip_prefix(safe.as_slice()).unwrap_or_default();
                let kept = match unsynced {
                    Unsynced::Kept => return std::fs::write(target, live).unwrap(),
                    Unsynced::Torn => unflushed.len() / 2,
                    Unsynced::Dropped | Unsynced::Empty => 0,
                };
                std::fs::write(target, [safe, &unflushed[..kept]].concat()).unwrap();
            }
        }
    }
}

/// The newest step of which the run had said that it is saved, and after how many operations.
type Promise = (usize, u64);

/// A whole run: its operations, and what it promised when.
fn recorded(folder: &Path) -> (Vec<Change>, Vec<Promise>) {
    let recorder = Recorder::start(folder);
    let mut promises = Vec::new();
    Trainer::new(config(&[]))
        .run_dir(folder.join("run"))
        .on_event(|event| {
            if let Event::Checkpoint(record) = event {
                promises.push((recorder.count(), record.step));
            }
            Control::Continue
        })
        .run()
        .unwrap();
    (recorder.stop(), promises)
}

#[test]
fn a_good_checkpoint_as_new_as_promised_survives_every_power_cut() {
    let folder = scratch();
    let expected = uninterrupted(folder.path());
    let recorded_in = folder.path().join("recorded");
    std::fs::create_dir(&recorded_in).unwrap();
    let (changes, promises) = recorded(&recorded_in);
    assert!(changes.len() > 100 && promises.len() >= 4, "{} changes, {promises:?}", changes.len());
    let mut disk = Disk::new();
    for (index, change) in changes.iter().enumerate() {
        disk.make(change);
        let count = index + 1;
        let promised = promises.iter().rev().find(|(after, _)| *after <= count).map(|(_, step)| *step);
        for unsynced in [Unsynced::Dropped, Unsynced::Torn, Unsynced::Empty] {
            let cut = scratch();
            let after = cut.path().join("after");
            disk.after_a_cut(0, unsynced, &after);
            let run_dir = after.join("run");
            let what = format!("{unsynced:?} after operation {count}, {change:?}")
                .chars()
                .take(200)
                .collect::<String>();
            // A resume begins with this: a checkpoint that was being replaced by one of the same step comes back.
            let checkpoints = run_dir.join("checkpoints");
            if checkpoints.is_dir() {
                remove_leftovers(&checkpoints, |name| name.starts_with("step-")).unwrap();
            }
            let found = checkpoint::find(&run_dir, &Which::Latest, &mut Vec::new());
            let found = found.unwrap_or_else(|error| panic!("{what}: {error}"));
            let step = found.map(|checkpoint| checkpoint.state.progress.position.step);
            assert!(step >= promised, "{what}: found {step:?}, promised {promised:?}");
            // Every 9th operation, and three kinds of loss: each kind meets each part of a save.
            if count % 9 == 0 {
                let outcome = resume(&run_dir).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_nothing_lost(&run_dir, &outcome.summary, &expected, &what);
            }
        }
    }
}
