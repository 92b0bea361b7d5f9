//! What a file on the network is: its official place and the sum published with it.

use std::path::PathBuf;

use super::checksum::Checksum;

/// A file on the network and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// The address without the name.
    pub base_url: &'static str,
    /// The name, there and here.
    pub name: &'static str,
    /// The published sum.
    pub checksum: Checksum,
}

/// What a data set needs to have fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFiles {
    /// Where the files go, relative to `data.root`.
    pub folder: PathBuf,
    /// The files.
    pub files: Vec<RemoteFile>,
}
