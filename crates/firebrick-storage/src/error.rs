//! Everything that can go wrong with files. Every variant names the path.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use firebrick_component::text;

/// Why a file or folder could not be written, read or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused an operation.
    #[error("{}: cannot {action}: {source}", text::path(.path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, such as `read` or `rename into place`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },

    /// Bytes could not be written, most often because the disk is full.
    #[error("{}: cannot write {bytes} bytes{}: {source}; make room and go on", text::path(.path), room(*.available))]
    Write {
        /// The file.
        path: PathBuf,
        /// How many bytes were to be added to it.
        bytes: usize,
        /// How many the file system has left, if it says.
        available: Option<u64>,
        /// What the system said.
        source: io::Error,
    },

    /// A file is shorter than what was written into it.
    #[error("{}: expected at least {min_bytes} bytes, got {got}; something has cut the file", text::path(.path))]
    TooShort {
        /// The file.
        path: PathBuf,
        /// What it should have.
        min_bytes: u64,
        /// What it has.
        got: u64,
    },

    /// A file is longer than its reader allows.
    #[error("{}: expected at most {max_bytes} bytes, got {got}; this is not the file it should be", text::path(.path))]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        max_bytes: u64,
        /// The length, as far as it is known.
        got: String,
    },

    /// A gzip stream is damaged, cut short or followed by something else.
    #[error("{}: expected a whole gzip file, got damaged contents after {good_bytes} unpacked bytes ({problem}); fetch the file again", text::path(.path))]
    Gzip {
        /// The file.
        path: PathBuf,
        /// How much could be unpacked.
        good_bytes: u64,
        /// What the decoder said.
        problem: String,
    },

    /// A tar archive is damaged or holds something that no honest archive does.
    #[error("{}: {place}: expected {expected}, got {got}; fetch the archive again", text::path(.path))]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The entry, or its number.
        place: String,
        /// What a safe archive has there.
        expected: String,
        /// What was found.
        got: String,
    },

    /// A committed folder is not what its manifest says.
    #[error("{}: {place}: expected {expected}, got {got}; the folder cannot be trusted: use another one", text::path(.path))]
    Manifest {
        /// The folder.
        path: PathBuf,
        /// The file in it, or the field of the manifest.
        place: String,
        /// What the manifest or its format says.
        expected: String,
        /// What is there.
        got: String,
    },

    /// A name that is to become one file or folder is not a plain name.
    #[error("{}: expected a plain file name, got `{name}`; use letters, digits, `-`, `_` and `.`", text::path(.parent))]
    Name {
        /// The folder in which it would lie.
        parent: PathBuf,
        /// The name.
        name: String,
    },

    /// Another program holds the run folder.
    #[error("{}: in use by {owner}; wait until it ends, stop it, or choose another run folder", text::path(.path))]
    Locked {
        /// The run folder.
        path: PathBuf,
        /// Who holds it, such as `pid 4711 on build-host`.
        owner: String,
    },

    /// What a program writes into is not at its path any more.
    #[error("{}: was removed, moved or replaced while this process wrote into it; what is there now stays as it is", text::path(.path))]
    Replaced {
        /// The folder or file.
        path: PathBuf,
    },

    /// Something else writes into a file that only this process should write into.
    #[error(
        "{}: expected the {expected} bytes that this process has written, got {got}: something else writes into it; end that, \
         remove its lines, and --resume goes on from the last checkpoint",
        text::path(.path)
    )]
    NotAlone {
        /// The file.
        path: PathBuf,
        /// Bytes that this process has written.
        expected: u64,
        /// Its length.
        got: u64,
    },

    /// What should have been written into a folder could not be made.
    #[error("{}: cannot write its contents: {source}", text::path(.path))]
    Contents {
        /// The file or folder.
        path: PathBuf,
        /// What the maker of the contents said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StorageError {
    /// An I/O error of `action` on `path`.
    pub fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), action, source }
    }

    /// Whether the system refuses to read, so that nothing is known of the contents: permissions, a disk that does not
    /// answer. A file that is not there or too short says something of them.
    pub fn is_refused_by_system(&self) -> bool {
        use std::io::ErrorKind::{InvalidData, IsADirectory, NotADirectory, NotFound, UnexpectedEof};
        let says_something = [NotFound, NotADirectory, IsADirectory, UnexpectedEof, InvalidData];
        matches!(self, Self::Io { source, .. } if !says_something.contains(&source.kind()))
    }

    /// An error of the caller that is to end a [`commit_folder`](crate::commit_folder).
    pub fn contents(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Contents { path: path.to_path_buf(), source: source.into() }
    }
}

fn room(available: Option<u64>) -> String {
    available.map_or_else(String::new, |available| format!(", {available} are available"))
}
