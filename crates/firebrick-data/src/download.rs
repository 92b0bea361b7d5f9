//! Fetching a data set from its official place: resumed, verified, never half.
//!
//! What is on disk at any moment:
//!
//! - `<name>.part` while a file comes in, and after a download that was cut off: it is resumed the
//!   next time. One process at a time writes it (it is locked).
//! - `<name>` only after its MD5 sum was found to be the published one; it is synced and renamed.
//!
//! A file `<name>` that is there but has another MD5 sum was therefore not put there by this code:
//! it is somebody's own, and it is used as it is, with a message that says so. Reading local files
//! never asks for a checksum; only what is fetched is verified.

mod part_file;
mod remote_files;
mod target;
mod transfer;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::error::DataError;
use crate::progress::Progress;
use part_file::PartFile;
use target::{Target, hex, read_chunks};

pub use remote_files::{RemoteFile, RemoteFiles};

/// Where the files are fetched from: their official place, or a server that has files of the same
/// names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirror {
    base_url: Option<String>,
}

impl Mirror {
    /// Each file's own official place.
    pub fn official() -> Self {
        Self::default()
    }

    /// The file `name` from `<base_url>/<name>`, whatever its official place. The checksums stay the
    /// published ones.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: Some(base_url.into()) }
    }

    fn url(&self, file: &RemoteFile) -> String {
        let base_url = self.base_url.as_deref().unwrap_or(file.base_url);
        format!("{}/{}", base_url.trim_end_matches('/'), file.name)
    }
}

/// How a file came to be where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was there, with the published MD5 sum.
    AlreadyVerified,
    /// It was there with another MD5 sum: somebody's own, left as it is.
    KeptOwn {
        /// The sum it has.
        md5: String,
    },
    /// It was fetched now and has the published MD5 sum.
    Downloaded {
        /// Bytes that an earlier, cut-off download had left and that were not fetched again.
        resumed_from: u64,
    },
}

/// Fetches `wanted` into its folder under `root` from the official place, unless it is there.
///
/// # Errors
///
/// As [`fetch`].
pub fn ensure(wanted: &RemoteFiles, root: &Path, progress: &dyn Progress) -> Result<(), DataError> {
    ensure_from(&Mirror::official(), wanted, root, progress)
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
        let target = Target { file, url: Mirror::official().url(file), path: path.clone() };
        found.extend(look(&target, progress)?.map(|fetched| (path, fetched)));
    }
    Ok(found)
}

/// Fetches one file into `folder`, unless it is there.
///
/// # Errors
///
/// [`DataError::Download`] when there is no connection, the server refuses, the transfer is cut
/// off, the MD5 sum is not the published one, or another process is fetching the same file;
/// [`DataError::Cancelled`] when `progress` says so; [`DataError::Io`] when the disk fails. After a
/// cut or a cancellation the part file stays and is resumed the next time; after a wrong sum it is
/// removed. `<name>` itself does not exist after an error.
pub fn fetch(
    file: &RemoteFile,
    folder: &Path,
    mirror: &Mirror,
    progress: &dyn Progress,
) -> Result<Fetched, DataError> {
    let target = Target { file, url: mirror.url(file), path: folder.join(file.name) };
    if let Some(found) = look(&target, progress)? {
        return Ok(found);
    }
    let created = create_folders(folder)?;
    let fetched = fetch_missing(&target, progress);
    if fetched.is_err() {
        // Leave no empty folders behind; one that holds a part file is not empty and stays.
        for folder in created.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
    fetched
}

fn fetch_missing(target: &Target, progress: &dyn Progress) -> Result<Fetched, DataError> {
    let mut part = PartFile::open(target, progress)?;
    // Another process may have finished it between the first look and our lock.
    if let Some(found) = look(target, progress)? {
        part.discard()?;
        return Ok(found);
    }
    if let Err(error) = receive_verified(target, &mut part, progress) {
        part.close_after_error();
        return Err(error);
    }
    let resumed_from = part.resumed_from();
    part.commit(&target.path)?;
    progress.stage(&format!("{}: downloaded and verified", target.file.name), None);
    Ok(Fetched::Downloaded { resumed_from })
}

/// Fills the part file until its MD5 sum is right.
fn receive_verified(target: &Target, part: &mut PartFile, progress: &dyn Progress) -> Result<(), DataError> {
    transfer::receive(target, part, progress)?;
    if part.resumed_from() > 0 && part.md5() != target.file.md5 {
        // The beginning was not this file's: perhaps the server's file has changed since.
        part.restart()?;
        transfer::receive(target, part, progress)?;
    }
    let got = part.md5();
    if got == target.file.md5 {
        return Ok(());
    }
    let num_bytes = part.len();
    part.restart()?; // Nothing of it can be used, so nothing of it may be resumed.
    Err(target.error(
        format!("expected MD5 {}, got {got} ({num_bytes} bytes)", target.file.md5),
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
    let mut md5 = Md5::new();
    read_chunks(&mut file, path, &stage, progress, |chunk| {
        md5.update(chunk);
        Ok(())
    })?;
    let md5 = hex(md5);
    if md5 == target.file.md5 {
        progress.stage(&format!("{}: already downloaded and verified", path.display()), None);
        return Ok(Some(Fetched::AlreadyVerified));
    }
    let message = format!(
        "{}: used as it is: its MD5 is {md5}, the published one is {} (remove the file to download it)",
        path.display(),
        target.file.md5
    );
    progress.stage(&message, None);
    Ok(Some(Fetched::KeptOwn { md5 }))
}

/// The folder and those above it, those that had to be made, outermost first.
fn create_folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let mut created: Vec<PathBuf> = folder.ancestors().take_while(missing).map(Path::to_path_buf).collect();
    created.reverse();
    fs::create_dir_all(folder).map_err(|error| DataError::io(folder, "create the folder", error))?;
    Ok(created)
}
