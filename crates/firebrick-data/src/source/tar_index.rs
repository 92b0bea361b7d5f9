//! Where the files of an unpacked `.tar` lie in it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use firebrick_storage::read_prefix;
use tar::{Archive, EntryType};

use super::member::{Member, leads_outside, stays_inside};
use crate::error::DataError;

/// The most entries of an archive.
const MAX_ENTRIES: usize = 5_000_000;
/// The longest header of extensions, in bytes.
const MAX_EXTENSION_BYTES: u64 = 1 << 16;
const HINT: &str = "fetch or pack the archive again, without compression";

/// The files of the archive `path`, in its order. Folders and what describes other entries are left out.
///
/// # Errors
/// [`DataError::Malformed`] for damage, a cut end, a name that leads out of the archive, a link or a device.
pub(super) fn members(path: &Path) -> Result<Vec<Member>, DataError> {
    let (start, length) = read_prefix(path, 2)?;
    if start == [0x1f, 0x8b] {
        let hint = "unpack it with gunzip: its files are read where they lie";
        return Err(DataError::malformed(path, "byte 0", "a tar archive without compression", "gzip", hint));
    }
    let file = File::open(path).map_err(|error| DataError::io(path, "read", error))?;
    let mut archive = Archive::new(BufReader::new(file));
    let fail = |place: &str, error: std::io::Error| damaged(path, place, &error);
    let entries = archive.entries_with_seek().map_err(|error| fail("start", error))?;
    let mut members = Vec::new();
    let mut long_name: Option<String> = None;
    for (number, entry) in (1..).zip(entries.raw(true)) {
        let place = format!("entry {number}");
        let mut entry = entry.map_err(|error| fail(&place, error))?;
        if number > MAX_ENTRIES {
            return Err(damaged(path, &place, &format!("more than {MAX_ENTRIES} entries")));
        }
        let (offset, size) = (entry.raw_file_position(), entry.size());
        if offset.checked_add(size).is_none_or(|end| end > length) {
            return Err(damaged(path, &place, &format!("{size} bytes promised, and the end before")));
        }
        match entry.header().entry_type() {
            kind @ (EntryType::XHeader | EntryType::GNULongName) => {
                if size > MAX_EXTENSION_BYTES {
                    return Err(damaged(path, &place, &format!("a header of {size} bytes")));
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(|error| fail(&place, error))?;
                long_name = match kind {
                    EntryType::XHeader => name_in_extension(&bytes).or(long_name),
                    _ => Some(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()),
                };
            }
            EntryType::XGlobalHeader | EntryType::GNULongLink => {}
            kind => {
                let name = long_name.take();
                let name = name.unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
                if !stays_inside(&name) {
                    return Err(leads_outside(path, place, &name));
                }
                match kind {
                    EntryType::Directory => {}
                    EntryType::Regular | EntryType::Continuous => {
                        let name = name.trim_start_matches("./").into();
                        members.push(Member { name, offset, stored: size, deflated: None });
                    }
                    other => return Err(damaged(path, &place, &format!("a {other:?}"))),
                }
            }
        }
    }
    Ok(members)
}

/// The name that records such as `30 path=a/long/name.jpg` give to the next entry.
fn name_in_extension(mut bytes: &[u8]) -> Option<String> {
    let mut name = None;
    while let Some(space) = bytes.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
        let record = bytes.get(space + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            name = Some(String::from_utf8_lossy(path).trim_end_matches('\n').to_owned());
        }
        bytes = &bytes[length..];
    }
    name
}

fn damaged(path: &Path, place: &str, got: &dyn std::fmt::Display) -> DataError {
    DataError::malformed(path, place, "a whole tar archive of plain files", got, HINT)
}
