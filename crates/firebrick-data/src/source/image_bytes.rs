//! Where the contents of an image file lie: in a file of their own, inside an archive, or in memory.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_storage::{read_bounded, read_prefix};

use super::member::{Member, inside};
use crate::error::DataError;
use crate::image::Image;
use crate::image_file::{MAX_IMAGE_FILE_BYTES, decode_image};

/// The contents of one image file.
#[derive(Clone, Debug)]
pub(super) enum ImageBytes {
    /// A file of its own.
    File(PathBuf),
    /// A member of an archive, read there when it is wanted.
    Member(Arc<Path>, Member),
    /// A value of a table that was read when the data set was opened.
    Memory {
        /// The table's file.
        file: Arc<Path>,
        /// Which value, such as `row 17`.
        name: Box<str>,
        /// The contents.
        bytes: Arc<[u8]>,
    },
}

impl ImageBytes {
    /// For messages: the file, or `archive: member`.
    pub(super) fn path(&self) -> Cow<'_, Path> {
        match self {
            Self::File(path) => Cow::Borrowed(path),
            Self::Member(archive, member) => Cow::Owned(inside(archive, &member.name)),
            Self::Memory { file, name, .. } => Cow::Owned(inside(file, name)),
        }
    }

    /// Its name below `root`, with `/` between folders.
    pub(super) fn name_below(&self, root: &Path) -> String {
        let path = self.path();
        let below = path.strip_prefix(root).unwrap_or(&path);
        below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// At most the first `count` bytes, and how many there are.
    pub(super) fn start(&self, count: usize) -> Result<(Vec<u8>, u64), DataError> {
        match self {
            Self::File(path) => Ok(read_prefix(path, count)?),
            Self::Member(archive, member) => {
                let start = member.start(archive, count, MAX_IMAGE_FILE_BYTES)?;
                Ok((start, member.length()))
            }
            Self::Memory { bytes, .. } => Ok((bytes[..count.min(bytes.len())].to_vec(), bytes.len() as u64)),
        }
    }

    /// The whole contents, of at most 256 MiB.
    pub(super) fn read(&self) -> Result<Cow<'_, [u8]>, DataError> {
        match self {
            Self::File(path) => Ok(Cow::Owned(read_bounded(path, MAX_IMAGE_FILE_BYTES)?)),
            Self::Member(archive, member) => Ok(Cow::Owned(member.read(archive, MAX_IMAGE_FILE_BYTES)?)),
            Self::Memory { bytes, .. } => Ok(Cow::Borrowed(bytes)),
        }
    }

    /// Reads and decodes it.
    pub(super) fn decode(&self) -> Result<Image, DataError> {
        decode_image(&self.path(), &self.read()?)
    }
}
