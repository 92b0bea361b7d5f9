//! Everything that can be wrong with data. A message says where, what was expected, what was
//! found and how to mend it; [`DataError::is_config`] tells a wrong argument from wrong data.

use std::io;
use std::path::{Path, PathBuf};

use firebrick_component::{ArgumentError, text};
use firebrick_storage::StorageError;

use crate::transform_error::TransformError;

/// Why data could not be opened, read, transformed or downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// An argument of `[data]` is wrong; the error's `key` is its path inside that table, such as
    /// `batch_size` or `augment[0].padding`.
    #[error("data.{0}")]
    Argument(#[from] ArgumentError),

    /// Nothing that looks like the data set lies under `root`.
    #[error("{}: no {dataset} data here: looked for {}; {hint}", text::path(.root), .looked_for.join(", "))]
    Missing {
        /// The data set that was asked for.
        dataset: String,
        /// `data.root`.
        root: PathBuf,
        /// The files and folders that were looked for, relative to `root`.
        looked_for: Vec<String>,
        /// How to mend it.
        hint: String,
    },

    /// A file's contents are not what the format promises.
    #[error("{}: {place}: expected {expected}, got {got}; {hint}", text::path(.path))]
    Malformed {
        /// The file (for a file in an archive: `archive: member`).
        path: PathBuf,
        /// Where in the file: a byte offset, a record number or a field.
        place: String,
        /// What the format or the rest of the data asks for.
        expected: String,
        /// What was found.
        got: String,
        /// How to mend it.
        hint: String,
    },

    /// The operating system refused an operation on a file.
    #[error("{}: cannot {action}: {source}", text::path(.path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, such as `read` or `list the folder`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },

    /// A file could not be read safely (too long, a broken archive, a lock).
    #[error(transparent)]
    Storage(#[from] StorageError),

    /// A download failed; what it left on disk is a part file that a later try resumes.
    #[error("download of {url}: {problem}; {hint}")]
    Download {
        /// The address.
        url: String,
        /// What went wrong: the status, the checksum, the connection.
        problem: String,
        /// How to mend it, naming the file and the folder to put it in.
        hint: String,
    },

    /// [`Progress::is_cancelled`](crate::Progress::is_cancelled) said to stop.
    #[error("stopped while {stage}")]
    Cancelled {
        /// What was being done.
        stage: String,
    },

    /// A sample was asked for that the data set does not have.
    #[error("sample {index}: the data set has {count} samples, numbered from 0")]
    Index {
        /// The index asked for.
        index: usize,
        /// How many samples there are.
        count: usize,
    },

    /// An image and the model do not fit together.
    #[error(transparent)]
    Transform(#[from] TransformError),

    /// A sample could not be read or prepared while training.
    #[error("sample {index}: {source}")]
    Sample {
        /// The sample's index in its split.
        index: usize,
        /// What was wrong with it.
        source: Box<DataError>,
    },

    /// A sample of a program's own data set has a class that the data set does not have.
    #[error("label of sample {index}: expected a class from 0 to below {num_classes}, got {label}")]
    Label {
        /// The sample's index in its split.
        index: usize,
        /// Its label.
        label: u32,
        /// How many class names the data set gave.
        num_classes: usize,
    },

    /// A loader's worker thread could not be started or died.
    #[error("data loader worker: {problem}")]
    Worker {
        /// What happened.
        problem: String,
    },
}

impl DataError {
    /// True when an argument is at fault (exit code 2), false when the data is (exit code 3).
    pub fn is_config(&self) -> bool {
        match self {
            Self::Argument(_) => true,
            Self::Transform(error) => error.is_config(),
            Self::Sample { source, .. } => source.is_config(),
            _ => false,
        }
    }

    /// A wrong argument `data.<key>`.
    pub fn argument(
        key: impl Into<String>,
        expected: impl Into<String>,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Argument(ArgumentError::new(key, expected, got))
    }

    /// No file of a data set under `root`; says so when not even `root` exists or is a folder.
    pub fn missing(dataset: &str, root: &Path, looked_for: Vec<String>, hint: impl Into<String>) -> Self {
        let mut hint = hint.into();
        if root.is_file() {
            hint = format!("this is a file and not a folder: {hint}");
        } else if !root.exists() {
            hint = format!("this folder does not exist yet: {hint}");
        }
        Self::Missing { dataset: dataset.to_owned(), root: root.to_path_buf(), looked_for, hint }
    }

    /// An I/O error of `action` on `path`.
    pub fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), action, source }
    }

    /// Contents of `path` that break the format.
    pub fn malformed(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        got: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> Self {
        Self::Malformed {
            path: path.to_path_buf(),
            place: place.into(),
            expected: expected.into(),
            got: got.to_string(),
            hint: hint.into(),
        }
    }
}
