//! Fetching a file from its official place: resumed, verified, never half.
//!
//! What is on disk at any moment:
//!
//! - `<name>.part` while a file comes in, and after a download that was cut off: it is resumed the
//!   next time. One process at a time writes it (it is locked).
//! - `<name>` only after its sum was found to be the published one; it is synced and renamed.
//!
//! A file `<name>` that is there but has another sum was therefore not put there by this code:
//! it is somebody's own. In a data set's folder it is used as it is, with a message that says so ([`fetch`]): reading
//! local files never asks for a checksum. In a folder that all runs share it is refused ([`fetch_shared`]).
//!
//! Whoever runs a program without network says so by [`Progress::is_offline`]: nothing is asked for then.

mod checksum;
mod mirror;
mod part_file;
mod remote_files;
mod target;
mod transfer;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::DataError;
use crate::progress::Progress;
use part_file::PartFile;
use target::{Target, read_chunks};

pub use checksum::Checksum;
pub use mirror::Mirror;
pub use remote_files::{RemoteFile, RemoteFiles};

/// How a file came to be where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was there, with the published sum.
    AlreadyVerified,
    /// It was there with another sum: somebody's own, left as it is.
    KeptOwn {
        /// The sum it has.
        sum: String,
    },
    /// It was fetched now and has the published sum.
    Downloaded {
        /// Bytes that an earlier, cut-off download had left and that were not fetched again.
        resumed_from: u64,
    },
}

/// Fetches `wanted` into its folder under `root` from the official place, or the mirror that `FIREBRICK_MIRROR` names,
/// unless it is there.
///
/// # Errors
///
/// As [`fetch`].
pub fn ensure(wanted: &RemoteFiles, root: &Path, progress: &dyn Progress) -> Result<(), DataError> {
    ensure_from(&Mirror::from_environment(), wanted, root, progress)
}

/// [`ensure`] from another place.
///
/// # Errors
///
/// As [`fetch`].
pub fn ensure_from(
    mirror: &Mirror,
    wanted: &RemoteFiles,
    root: &Path,
    progress: &dyn Progress,
) -> Result<(), DataError> {
    let folder = match wanted.folder.as_os_str().is_empty() {
        true => root.to_path_buf(),
        false => root.join(&wanted.folder),
    };
    for file in &wanted.files {
        fetch(file, &folder, mirror, progress)?;
    }
    Ok(())
}

/// Compares those of the files that are there with their published MD5 sums. Fetches nothing.
///
/// # Errors
///
/// [`DataError::Io`] when the disk fails; [`DataError::Cancelled`] when `progress` says so.
pub fn verify(
    wanted: &RemoteFiles,
    root: &Path,
    progress: &dyn Progress,
) -> Result<Vec<(PathBuf, Fetched)>, DataError> {
    let folder = root.join(&wanted.folder);
    let mut found = Vec::new();
    for file in &wanted.files {
        let path = folder.join(file.name);
        let found_there = look(&Target::new(file, &folder, &Mirror::official()), progress)?;
        found.extend(found_there.map(|fetched| (path, fetched)));
    }
    Ok(found)
}

/// Fetches one file into `folder`, unless it is there.
///
/// # Errors
///
/// [`DataError::Download`] when there is no connection, the server refuses, the transfer is cut
/// off, the sum is not the published one, another process is fetching the same file, or `progress` is offline;
/// [`DataError::Cancelled`] when `progress` says so; [`DataError::Io`] when the disk fails. After a
/// cut or a cancellation the part file stays and is resumed the next time; after a wrong sum it is
/// removed. `<name>` itself does not exist after an error.
pub fn fetch(
    file: &RemoteFile,
    folder: &Path,
    mirror: &Mirror,
    progress: &dyn Progress,
) -> Result<Fetched, DataError> {
    fetch_to(&Target::new(file, folder, mirror), folder, progress)
}

/// As [`fetch`], for a folder that many programs share: another program that is fetching the same file is waited for,
/// and a file of the name that is not the published one is refused.
///
/// # Errors
///
/// As [`fetch`]; [`DataError::Download`] for a file that is there with another sum.
pub fn fetch_shared(
    file: &RemoteFile,
    folder: &Path,
    mirror: &Mirror,
    progress: &dyn Progress,
) -> Result<Fetched, DataError> {
    let target = Target { is_shared: true, ..Target::new(file, folder, mirror) };
    fetch_to(&target, folder, progress)
}

fn fetch_to(target: &Target, folder: &Path, progress: &dyn Progress) -> Result<Fetched, DataError> {
    if let Some(found) = look(target, progress)? {
        return Ok(found);
    }
    if progress.is_offline() {
        let problem = "nothing is fetched (--offline, FIREBRICK_OFFLINE), and the file is not there";
        return Err(target.error(problem, target.by_hand()));
    }
    let created = create_folders(folder)?;
    let fetched = fetch_missing(target, progress);
    if fetched.is_err() {
        // Leave no empty folders behind; one that holds a part file is not empty and stays.
        for folder in created.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
    fetched
}

fn fetch_missing(target: &Target, progress: &dyn Progress) -> Result<Fetched, DataError> {
    let mut part = match wait_for_part(target, progress)? {
        Opened::Part(part) => part,
        Opened::Finished(found) => return Ok(found),
    };
    // Another process may have finished it between the last look and our lock.
    if let Some(found) = look(target, progress)? {
        part.discard()?;
        return Ok(found);
    }
    part.take_in_what_is_there(progress)?;
    if let Err(error) = receive_verified(target, &mut part, progress) {
        part.close_after_error();
        return Err(error);
    }
    let resumed_from = part.resumed_from();
    part.commit(&target.path)?;
    progress.stage(&format!("{}: downloaded and verified", target.file.name), None);
    Ok(Fetched::Downloaded { resumed_from })
}

/// What a process that wants a file finds.
enum Opened {
    /// The part file, ours alone now.
    Part(PartFile),
    /// The whole file: another process has fetched it meanwhile.
    Finished(Fetched),
}

/// How often a process looks whether another one is done.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Opens the part file, after whoever else is writing it where the folder is shared.
fn wait_for_part(target: &Target, progress: &dyn Progress) -> Result<Opened, DataError> {
    let stage = format!("waiting for another process that fetches {}", target.path.display());
    let mut is_told = false;
    loop {
        if let Some(part) = PartFile::open(target)? {
            return Ok(Opened::Part(part));
        }
        if !target.is_shared {
            return Err(target.error(
                format!("another process is downloading it into {}", part_file::path_of(target).display()),
                "wait until it is done, then start again",
            ));
        }
        if !std::mem::replace(&mut is_told, true) {
            progress.stage(&stage, None);
        }
        if progress.is_cancelled() {
            return Err(DataError::Cancelled { stage });
        }
        std::thread::sleep(LOOK_EVERY);
        if target.path.exists()
            && let Some(found) = look(target, progress)?
        {
            return Ok(Opened::Finished(found));
        }
    }
}

/// Fills the part file until its sum is right.
fn receive_verified(target: &Target, part: &mut PartFile, progress: &dyn Progress) -> Result<(), DataError> {
    transfer::receive(target, part, progress)?;
    let checksum = target.file.checksum;
    if part.resumed_from() > 0 && !checksum.matches(&part.sum()) {
        // The beginning was not this file's: perhaps the server's file has changed since.
        part.restart()?;
        transfer::receive(target, part, progress)?;
    }
    let got = part.sum();
    if checksum.matches(&got) {
        return Ok(());
    }
    let num_bytes = part.len();
    part.restart()?; // Nothing of it can be used, so nothing of it may be resumed.
    Err(target.error(
        format!("{} ({num_bytes} bytes)", checksum.against(&got)),
        format!("nothing was kept; try again later, or {}", target.by_hand()),
    ))
}

/// What is at the target's place already, with a message about it.
fn look(target: &Target, progress: &dyn Progress) -> Result<Option<Fetched>, DataError> {
    let path = &target.path;
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DataError::io(path, "open", error)),
    };
    let num_bytes = file.metadata().map_err(|error| DataError::io(path, "look at", error))?.len();
    let stage = format!("checking {}", path.display());
    progress.stage(&stage, Some(num_bytes));
    let checksum = target.file.checksum;
    let mut sum = checksum.start();
    read_chunks(&mut file, path, &stage, progress, |chunk| {
        sum.update(chunk);
        Ok(())
    })?;
    let sum = sum.finish();
    if checksum.matches(&sum) {
        progress.stage(&format!("{}: already downloaded and verified", path.display()), None);
        return Ok(Some(Fetched::AlreadyVerified));
    }
    if target.is_shared {
        let problem = format!("{}: {} ({num_bytes} bytes)", path.display(), checksum.against(&sum));
        return Err(target.error(problem, "it is not the published file; remove it, and it is fetched again"));
    }
    let message = format!(
        "{}: used as it is: expected {checksum}, its own is {sum} (remove the file to download it)",
        path.display(),
    );
    progress.stage(&message, None);
    Ok(Some(Fetched::KeptOwn { sum }))
}

/// The folder and those above it, those that had to be made, outermost first.
fn create_folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let mut created: Vec<PathBuf> = folder.ancestors().take_while(missing).map(Path::to_path_buf).collect();
    created.reverse();
    fs::create_dir_all(folder).map_err(|error| DataError::io(folder, "create the folder", error))?;
    Ok(created)
}
