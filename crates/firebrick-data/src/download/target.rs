//! One file on its way, and what both ends of it need.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::mirror::Mirror;
use super::remote_files::RemoteFile;
use crate::error::DataError;
use crate::progress::Progress;

/// Bytes moved at once.
pub(super) const CHUNK_BYTES: usize = 1 << 17;

/// One file on its way: where from, where to, and what it must be.
pub(super) struct Target<'a> {
    pub(super) file: &'a RemoteFile,
    pub(super) url: String,
    pub(super) path: PathBuf,
    /// Whether other programs use the folder, too.
    pub(super) is_shared: bool,
}

impl<'a> Target<'a> {
    /// In a folder that is one program's own.
    pub(super) fn new(file: &'a RemoteFile, folder: &Path, mirror: &Mirror) -> Self {
        Self { file, url: mirror.url(file), path: folder.join(file.name), is_shared: false }
    }

    /// How to mend a download that cannot work, with all that is needed to do it by hand.
    pub(super) fn by_hand(&self) -> String {
        format!(
            "without network, fetch {} elsewhere and put it at {} ({})",
            self.url,
            self.path.display(),
            self.file.checksum
        )
    }

    pub(super) fn error(&self, problem: impl Into<String>, hint: impl Into<String>) -> DataError {
        DataError::Download { url: self.url.clone(), problem: problem.into(), hint: hint.into() }
    }
}

/// Reads a local file to its end, piece by piece, telling `progress`.
pub(super) fn read_chunks(
    file: &mut File,
    path: &Path,
    stage: &str,
    progress: &dyn Progress,
    mut take: impl FnMut(&[u8]) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        if progress.is_cancelled() {
            return Err(DataError::Cancelled { stage: stage.into() });
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                take(&buffer[..count])?;
                progress.advance(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(DataError::io(path, "read", error)),
        }
    }
}
