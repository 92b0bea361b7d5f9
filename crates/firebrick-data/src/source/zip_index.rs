//! Where the files of a `.zip` lie in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use firebrick_storage::read_prefix;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::member::{Deflated, Member, leads_outside, stays_inside};
use crate::error::DataError;

/// The most entries of an archive; ImageNet has 1.4 million files.
const MAX_ENTRIES: usize = 5_000_000;
const HINT: &str = "fetch or pack the archive again, without a password and with deflate or no compression";

/// The files of the archive `path` with plain names, in its order. Folders are left out.
///
/// # Errors
/// [`DataError::Malformed`] for damage, a name that leads out of the archive or occurs twice, a link, a password, or a
/// compression other than deflate.
pub(super) fn members(path: &Path) -> Result<Vec<Member>, DataError> {
    // A pipe or a folder is refused here.
    read_prefix(path, 0)?;
    let file = File::open(path).map_err(|error| DataError::io(path, "read", error))?;
    // What the reader makes of damage is not ours to know: a panic of it is damage, too.
    let read = catch_unwind(AssertUnwindSafe(|| read(path, file)));
    read.unwrap_or_else(|_| Err(damaged(path, "directory", &"contents that cannot be read")))
}

fn read(path: &Path, file: File) -> Result<Vec<Member>, DataError> {
    let fail = |place: &str, error: ZipError| damaged(path, place, &error);
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| fail("directory", error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(damaged(path, "directory", &format!("{} entries", archive.len())));
    }
    let mut members = Vec::new();
    let mut seen = BTreeSet::new();
    for index in 0..archive.len() {
        let place = format!("entry {}", index + 1);
        let entry = archive.by_index_raw(index).map_err(|error| fail(&place, error))?;
        let name = entry.name().map_err(|error| fail(&place, error))?.into_owned();
        if !stays_inside(&name) {
            return Err(leads_outside(path, place, &name));
        }
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() || entry.encrypted() {
            let got = if entry.encrypted() { "one with a password" } else { "a link" };
            return Err(damaged(path, &place, &got));
        }
        let deflated = match entry.compression() {
            CompressionMethod::Stored => None,
            CompressionMethod::Deflated => Some(Deflated { length: entry.size(), crc32: entry.crc32() }),
            other => return Err(damaged(path, &place, &format!("compression {other:?}"))),
        };
        let Some(offset) = entry.data_start() else {
            return Err(damaged(path, &place, &"no contents"));
        };
        let name = name.trim_start_matches("./").to_owned();
        if !seen.insert(name.clone()) {
            return Err(damaged(path, &place, &"a second file of the same name"));
        }
        members.push(Member { name: name.into(), offset, stored: entry.compressed_size(), deflated });
    }
    Ok(members)
}

fn damaged(path: &Path, place: &str, got: &dyn std::fmt::Display) -> DataError {
    DataError::malformed(path, place, "a whole zip archive of plain files", got, HINT)
}
