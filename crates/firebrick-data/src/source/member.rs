//! A file inside an archive, read where it lies.

use std::io::Read;
use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_storage::{StorageError, read_part};
use flate2::bufread::DeflateDecoder;

use crate::error::DataError;

/// A run of an archive's bytes.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its name in the archive.
    pub(super) name: Box<str>,
    /// Its first byte in the archive.
    pub(super) offset: u64,
    /// How many bytes of the archive it takes.
    pub(super) stored: u64,
    /// How it is packed; as it is when absent.
    pub(super) deflated: Option<Deflated>,
}

/// What an archive promises of a member that is packed with deflate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deflated {
    pub(super) length: u64,
    pub(super) crc32: u32,
}

impl Member {
    /// How long the contents are, as the archive says.
    pub(super) fn length(&self) -> u64 {
        self.deflated.map_or(self.stored, |deflated| deflated.length)
    }

    /// The whole contents, of at most `max_bytes`.
    ///
    /// # Errors
    /// [`DataError::Storage`] when the archive cannot be read or the contents are longer; [`DataError::Malformed`] when
    /// they are not what the archive says.
    pub(super) fn read(&self, archive: &Path, max_bytes: u64) -> Result<Vec<u8>, DataError> {
        self.check_length(archive, max_bytes)?;
        let bytes = read_part(archive, self.offset, self.stored)?;
        match self.deflated {
            None => Ok(bytes),
            Some(promised) => self.inflate(archive, &bytes, promised),
        }
    }

    /// At most the first `count` bytes of the contents, with the errors of [`Member::read`].
    pub(super) fn start(&self, archive: &Path, count: usize, max_bytes: u64) -> Result<Vec<u8>, DataError> {
        self.check_length(archive, max_bytes)?;
        if self.deflated.is_some() {
            let mut bytes = self.read(archive, max_bytes)?;
            bytes.truncate(count);
            return Ok(bytes);
        }
        Ok(read_part(archive, self.offset, self.stored.min(count as u64))?)
    }

    fn check_length(&self, archive: &Path, max_bytes: u64) -> Result<(), DataError> {
        let length = self.length().max(self.stored);
        if length <= max_bytes {
            return Ok(());
        }
        let path = inside(archive, &self.name);
        Err(StorageError::TooLong { path, max_bytes, got: format!("{length} bytes") }.into())
    }

    fn inflate(&self, archive: &Path, packed: &[u8], promised: Deflated) -> Result<Vec<u8>, DataError> {
        // Memory is asked for as the contents come.
        let mut bytes = Vec::with_capacity(promised.length.min(1 << 20) as usize);
        let read = DeflateDecoder::new(packed).take(promised.length + 1).read_to_end(&mut bytes);
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        let got = match read {
            Err(error) => error.to_string(),
            Ok(_) if bytes.len() as u64 != promised.length => "another length".to_owned(),
            Ok(_) if crc.sum() != promised.crc32 => "another checksum".to_owned(),
            Ok(_) => return Ok(bytes),
        };
        let expected = format!("{} bytes, as the archive says", promised.length);
        let hint = "the archive is damaged: fetch or pack it again";
        Err(DataError::malformed(&inside(archive, &self.name), "contents", expected, got, hint))
    }
}

/// What messages call a member of an archive.
pub(super) fn inside(archive: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!("{}: {name}", archive.display()))
}

/// Whether a name in an archive or a list leads to nowhere but below its folder: no `..`, no drive, no `/` in front.
pub(super) fn stays_inside(name: &str) -> bool {
    let is_plain = |part: std::path::Component<'_>| {
        matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
    };
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    !name.is_empty()
        && !has_drive
        && !name.contains(['\\', '\0'])
        && Path::new(name).components().all(is_plain)
}

/// `name` is not allowed in `archive`.
pub(super) fn leads_outside(archive: &Path, place: String, name: &str) -> DataError {
    let got = format!("`{}`", text::one_line(name));
    let hint = "the archive is damaged or hostile: pack it again";
    DataError::malformed(archive, place, "a relative name without `..`", got, hint)
}
