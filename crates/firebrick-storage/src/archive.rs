//! Members of a `.tar.gz`, read in place: nothing is unpacked to disk, so nothing can be written
//! outside a folder, and a failure leaves the disk as it was.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::StorageError;
use crate::bounded::{Counted, open_regular};

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveLimits {
    /// Entries of any kind.
    pub max_entries: usize,
    /// Bytes of one wanted member.
    pub max_member_bytes: u64,
    /// Bytes of the whole archive once unpacked.
    pub max_total_bytes: u64,
}

/// One file out of an archive.
#[derive(Clone, Debug)]
pub struct ArchiveMember {
    /// Its name in the archive, such as `cifar-10-batches-bin/test_batch.bin`.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Reads the archive `path` once from start to end and hands the members that `want` asks for to
/// `visit`, in the archive's order. The whole stream is read, so that its checksum counts.
///
/// Wanted members must be regular files that occur once. Extension headers (long names, times) are
/// skipped: a wanted member has a short plain name.
///
/// # Errors
/// [`StorageError::Archive`] for damage, a name that leads out of the archive (`/x`, `../x`), a
/// link where a file was wanted, a member given twice, or a limit that is passed;
/// [`StorageError::TooLong`] when it unpacks to more than `limits.max_total_bytes`;
/// [`StorageError::Io`] when it cannot be read; and whatever `visit` returns.
pub fn read_tar_gz<E: From<StorageError>>(
    path: &Path,
    limits: ArchiveLimits,
    want: impl FnMut(&str) -> bool,
    visit: impl FnMut(ArchiveMember) -> Result<(), E>,
) -> Result<(), E> {
    let (file, _) = open_regular(path)?;
    let unpacked = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file));
    let bounded = unpacked.take(limits.max_total_bytes.saturating_add(1));
    let mut counted = Counted { inner: bounded, bytes: 0 };
    let walk = Walk { path, limits, want, visit, seen: BTreeSet::new() };
    let result = walk.run(&mut counted);
    if counted.bytes > limits.max_total_bytes {
        let (path, max_bytes) = (path.to_path_buf(), limits.max_total_bytes);
        return Err(StorageError::TooLong { path, max_bytes, got: "more once unpacked".into() }.into());
    }
    result
}

/// One pass over an archive.
struct Walk<'a, W, V> {
    path: &'a Path,
    limits: ArchiveLimits,
    want: W,
    visit: V,
    seen: BTreeSet<String>,
}

impl<W: FnMut(&str) -> bool, V> Walk<'_, W, V> {
    fn run<R: Read, E: From<StorageError>>(mut self, stream: &mut R) -> Result<(), E>
    where
        V: FnMut(ArchiveMember) -> Result<(), E>,
    {
        let mut archive = Archive::new(stream);
        let entries = archive.entries().map_err(|error| self.damage("start", error))?;
        let mut count = 0;
        for entry in entries.raw(true) {
            count += 1;
            let place = format!("entry {count}");
            if count > self.limits.max_entries {
                let most = format!("at most {} entries", self.limits.max_entries);
                return Err(self.refuse(&place, &most, "more").into());
            }
            let entry = entry.map_err(|error| self.damage(&place, error))?;
            if let Some(member) = self.read_entry(&place, entry)? {
                (self.visit)(member)?;
            }
        }
        let rest = io::copy(archive.into_inner(), &mut io::sink());
        rest.map_err(|error| self.damage("end", error))?;
        Ok(())
    }

    /// The entry's contents when it is wanted, after the checks.
    fn read_entry<R: Read>(
        &mut self,
        place: &str,
        mut entry: Entry<'_, R>,
    ) -> Result<Option<ArchiveMember>, StorageError> {
        let kind = entry.header().entry_type();
        if is_extension(kind) {
            return Ok(None);
        }
        let name = self.safe_name(place, &entry.path_bytes())?;
        if kind == EntryType::Directory || !(self.want)(&name) {
            return Ok(None);
        }
        if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            return Err(self.refuse(&name, "a regular file", &format!("{kind:?}")));
        }
        if !self.seen.insert(name.clone()) {
            return Err(self.refuse(&name, "each file once", "a second one of this name"));
        }
        let (size, most) = (entry.size(), self.limits.max_member_bytes);
        if size > most {
            let most = format!("at most {most} bytes");
            return Err(self.refuse(&name, &most, &format!("{size} bytes")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| self.damage(&name, error))?;
        bytes.shrink_to_fit(); // it grew by doubling, and is kept for as long as the data set
        if bytes.len() as u64 != size {
            let got = format!("{} bytes before the archive ends", bytes.len());
            return Err(self.refuse(&name, &format!("{size} bytes"), &got));
        }
        Ok(Some(ArchiveMember { name, bytes }))
    }

    /// The name without a leading `./`, if it stays inside the archive.
    fn safe_name(&self, place: &str, raw: &[u8]) -> Result<String, StorageError> {
        let shown = String::from_utf8_lossy(raw);
        let inside = Path::new(shown.as_ref())
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside || shown.contains('\\') || shown.contains('\0') {
            let expected = "a relative name without `..`";
            return Err(self.refuse(place, expected, &format!("`{}`", shown.escape_debug())));
        }
        Ok(shown.trim_start_matches("./").trim_end_matches('/').to_owned())
    }

    fn refuse(&self, place: &str, expected: &str, got: &str) -> StorageError {
        StorageError::Archive {
            path: self.path.to_path_buf(),
            place: place.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        }
    }

    /// Bad contents are told from a disk that does not answer: only the system's errors have a number.
    fn damage(&self, place: &str, error: io::Error) -> StorageError {
        if error.raw_os_error().is_some() {
            return StorageError::io(self.path, "read", error);
        }
        self.refuse(place, "a whole tar.gz archive", &error.to_string())
    }
}

/// Headers that only describe the entry after them.
fn is_extension(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::XHeader | EntryType::XGlobalHeader | EntryType::GNULongName | EntryType::GNULongLink
    )
}
