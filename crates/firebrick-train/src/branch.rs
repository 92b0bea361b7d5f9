//! A run that begins at a checkpoint of another one: a copy of that checkpoint, of the best ones before it, of the one
//! that a divergence would bring back and of `metrics.jsonl` up to it, in a folder of its own. The other run stays as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use firebrick_storage::{
    MANIFEST_FILE, copy_folder, copy_start, create_folder, create_folders, sha256_file, write_atomic,
};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{BEST, Checkpoint, LATEST, folder_name};
use crate::error::TrainError;
use crate::json::{from_json, to_json};
use crate::run_contents::{BRANCH_FILE, RunContents};

/// `branch.json`: the checkpoint that a run was branched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Branch {
    /// The folder of the other run, at that time.
    pub run: PathBuf,
    /// The checkpoint's step.
    pub step: u64,
    /// SHA-256 of the checkpoint's manifest, and so of everything in it.
    pub manifest_sha256: String,
}

impl Branch {
    /// A branch off `checkpoint` of the run in `run_dir`.
    pub(crate) fn off(run_dir: &Path, checkpoint: &Checkpoint) -> Result<Self, TrainError> {
        let (_, manifest_sha256) = sha256_file(&checkpoint.path.join(MANIFEST_FILE))?;
        Ok(Self { run: absolute(run_dir), step: checkpoint.state.progress.position.step, manifest_sha256 })
    }

    /// What the branch in a folder says of itself; nothing where no branch is.
    pub(crate) fn read(run_dir: &Path) -> Result<Option<Self>, TrainError> {
        let file = run_dir.join(BRANCH_FILE);
        if file.symlink_metadata().is_err() { Ok(None) } else { from_json(&file).map(Some) }
    }

    /// Whether both begin at the same checkpoint, wherever its run lies now.
    pub(crate) fn is_same_checkpoint(&self, other: &Self) -> bool {
        (self.step, &self.manifest_sha256) == (other.step, &other.manifest_sha256)
    }

    /// Whether it was branched off `checkpoint`, a path that may be gone since.
    pub(crate) fn is_off_path(&self, checkpoint: &Path) -> bool {
        let expected = self.run.join("checkpoints").join(folder_name(self.step));
        absolute(checkpoint) == expected
    }

    /// Whether a process ended while it made the branch in this folder, so that nothing in it was trained here.
    pub(crate) fn is_half_made(&self, contents: &RunContents, metrics_bytes: u64) -> bool {
        !contents.has_config
            && !contents.has_summary
            && contents.metrics_bytes <= metrics_bytes
            && contents.steps.iter().all(|step| *step <= self.step)
    }

    /// Fills a locked folder in which nothing but a half-made branch of the same checkpoint lies. Everything is durable
    /// before this returns; `branch.json` comes first, so that a process which finds it knows whose the rest is.
    pub(crate) fn make(
        &self,
        run_dir: &Path,
        from: &Path,
        checkpoint: &Checkpoint,
    ) -> Result<(), TrainError> {
        let file = run_dir.join(BRANCH_FILE);
        let mut text = to_json(&file, self, true)?;
        text.push(b'\n');
        write_atomic(&file, &text)?;
        let checkpoints = run_dir.join("checkpoints");
        create_folders(&checkpoints)?;
        copy_start(
            &from.join("metrics.jsonl"),
            checkpoint.state.metrics_bytes,
            &run_dir.join("metrics.jsonl"),
        )?;
        let progress = &checkpoint.state.progress;
        let bests: Vec<u64> = progress.bests.iter().map(|best| best.step).collect();
        let needed: BTreeSet<u64> = bests.iter().copied().chain(progress.point_of_return).collect();
        for step in needed.range(..self.step) {
            let name = folder_name(*step);
            let earlier = from.join("checkpoints").join(&name);
            // One that is damaged or gone is missing in the other run as well.
            if Checkpoint::read(&earlier).is_ok() {
                copy_folder(&earlier, &checkpoints, &name)?;
            }
        }
        if let Some(best) = bests.first() {
            let name = folder_name(*best);
            if *best == self.step || checkpoints.join(&name).is_dir() {
                write_atomic(&checkpoints.join(BEST), format!("{name}\n").as_bytes())?;
            }
        }
        let name = folder_name(self.step);
        copy_folder(&checkpoint.path, &checkpoints, &name)?;
        Ok(write_atomic(&checkpoints.join(LATEST), format!("{name}\n").as_bytes())?)
    }
}

/// Makes the folder of a branch that was given no name: beside the other run, with the next free number.
pub(crate) fn new_folder(run_dir: &Path) -> Result<PathBuf, TrainError> {
    let (parent, name) = place(run_dir)?;
    let (stem, first) = match name.rsplit_once('-') {
        Some((stem, digits)) if digits.len() >= 3 => {
            digits.parse::<u32>().map_or((name.as_str(), 2), |number| (stem, number.saturating_add(1)))
        }
        _ => (name.as_str(), 2),
    };
    for number in first..=first.saturating_add(1_000_000) {
        let path = parent.join(format!("{stem}-{number:03}"));
        if create_folder(&path)? {
            return Ok(path);
        }
    }
    Err(TrainError::Checkpoint {
        path: run_dir.to_owned(),
        message: "a million runs of this name are here already; name another with --run-dir".to_owned(),
    })
}

/// The folder that a run lies in, and the run's own name there. A link to a run is none.
fn place(run_dir: &Path) -> Result<(PathBuf, String), TrainError> {
    let is_link = run_dir.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let has_name = run_dir.file_name().is_some();
    let path = if has_name && !is_link { run_dir.to_owned() } else { absolute(run_dir) };
    match (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        (Some(parent), Some(name)) => Ok((parent.to_owned(), name.to_owned())),
        _ => Err(TrainError::Checkpoint {
            path: run_dir.to_owned(),
            message: "has no name that a branch could be called after; name a folder for it with --run-dir"
                .to_owned(),
        }),
    }
}

/// The path without links and `..`, as far as it is there.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let absent = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => absolute(parent).join(name),
        _ => absent(),
    })
}
