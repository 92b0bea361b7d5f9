//! Named files out of a folder or out of a `.tar.gz`, alike: the archive is read in place, once from
//! start to end, and never unpacked to disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_storage::{ArchiveLimits, Sha256Hasher, read_bounded, read_tar_gz};

use super::interface::check_cancelled;
use crate::error::DataError;
use crate::progress::Progress;

/// The largest single file; CIFAR-100's training file has 154 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// The most an archive may unpack to; CIFAR-10's unpacks to 185 MB.
const MAX_ARCHIVE_BYTES: u64 = 1 << 30;
/// The most entries of an archive; CIFAR's have fewer than 20.
const MAX_ARCHIVE_ENTRIES: usize = 1000;

/// Where files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// In this folder.
    Folder(PathBuf),
    /// In this folder of this archive.
    Archive(PathBuf, &'static str),
}

/// A file that was read.
pub(super) struct StoredFile {
    /// For messages: its path, or `archive: member`.
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// The files that were read, by name.
pub(super) type StoredFiles = BTreeMap<String, StoredFile>;

impl Container {
    /// The folder or archive itself.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive(path, _) => path,
        }
    }

    /// Reads `required` and, where they exist, `optional`.
    pub(super) fn read(
        &self,
        required: &[&str],
        optional: &[&str],
        progress: &dyn Progress,
    ) -> Result<StoredFiles, DataError> {
        let files = match self {
            Self::Folder(folder) => read_folder(folder, required, optional, progress)?,
            Self::Archive(path, folder) => {
                read_archive(path, folder, &[required, optional].concat(), progress)?
            }
        };
        match required.iter().find(|name| !files.contains_key(**name)) {
            None => Ok(files),
            Some(missing) => Err(self.incomplete(missing, required)),
        }
    }

    fn incomplete(&self, missing: &str, required: &[&str]) -> DataError {
        let got = match self {
            Self::Folder(_) => "no such file".to_owned(),
            Self::Archive(_, folder) => format!("no such file in the archive's folder {folder}"),
        };
        DataError::malformed(
            self.path(),
            missing,
            format!("all of {}", required.join(", ")),
            got,
            format!("remove {} and fetch the data set again", text::path(self.path())),
        )
    }
}

fn read_folder(
    folder: &Path,
    required: &[&str],
    optional: &[&str],
    progress: &dyn Progress,
) -> Result<StoredFiles, DataError> {
    let stage = format!("reading {}", text::path(folder));
    let names: Vec<&str> = required.iter().chain(optional).copied().collect();
    let size = |name: &&str| fs::metadata(folder.join(name)).map_or(0, |found| found.len());
    progress.stage(&stage, Some(names.iter().map(size).sum()));
    let mut files = StoredFiles::new();
    for name in names {
        check_cancelled(progress, &stage)?;
        let path = folder.join(name);
        if !path.exists() {
            continue; // `read` says which required ones are missing
        }
        let bytes = read_bounded(&path, MAX_FILE_BYTES)?;
        progress.advance(bytes.len() as u64);
        files.insert(name.to_owned(), StoredFile { path, bytes });
    }
    Ok(files)
}

fn read_archive(
    archive: &Path,
    folder: &str,
    names: &[&str],
    progress: &dyn Progress,
) -> Result<StoredFiles, DataError> {
    let stage = format!("reading {}", text::path(archive));
    progress.stage(&stage, None);
    let limits = ArchiveLimits {
        max_entries: MAX_ARCHIVE_ENTRIES,
        max_member_bytes: MAX_FILE_BYTES,
        max_total_bytes: MAX_ARCHIVE_BYTES,
    };
    let inner_name = |name: &str| {
        let inner = name.strip_prefix(folder)?.strip_prefix('/')?;
        names.contains(&inner).then(|| inner.to_owned())
    };
    let mut files = StoredFiles::new();
    read_tar_gz::<DataError>(
        archive,
        limits,
        |name| inner_name(name).is_some(),
        |member| {
            check_cancelled(progress, &stage)?;
            progress.advance(member.bytes.len() as u64);
            if let Some(inner) = inner_name(&member.name) {
                let path = PathBuf::from(format!("{}: {}", archive.display(), member.name));
                files.insert(inner, StoredFile { path, bytes: member.bytes });
            }
            Ok(())
        },
    )?;
    Ok(files)
}

/// SHA-256 over names, sizes and contents, in the names' order: the same for a folder and for the
/// archive of it.
pub(super) fn fingerprint(files: &StoredFiles) -> String {
    let mut hasher = Sha256Hasher::new();
    for (name, file) in files {
        hasher.field(name, &file.bytes);
    }
    hasher.finish()
}
