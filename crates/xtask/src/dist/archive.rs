//! Files into the archive: copies, checksums, and the archive itself, which is the same for the same files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Copies a file and makes the folders that it stands in.
pub fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to).map_err(|error| format!("{}: {error}", from.display()))?;
    Ok(())
}

/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    files(from)?.iter().try_for_each(|file| copy(file, &to.join(file.strip_prefix(from)?)))
}

/// Writes `SHA256SUMS` of every file in the folder, in the form of `sha256sum`.
pub fn checksums(folder: &Path) -> Result<(), Failure> {
    let mut text = Vec::new();
    for file in files(folder)? {
        writeln!(text, "{}  {}", sha256(&file)?, file.strip_prefix(folder)?.display())?;
    }
    Ok(fs::write(folder.join("SHA256SUMS"), text)?)
}

/// Packs the folder, and writes the archive's checksum beside it.
pub fn pack(folder: &Path, archive: &Path) -> Result<PathBuf, Failure> {
    let encoder = GzEncoder::new(fs::File::create(archive)?, Compression::best());
    let mut tar = tar::Builder::new(encoder);
    let parent = folder.parent().unwrap_or(folder);
    for file in files(folder)? {
        let bytes = fs::read(&file)?;
        let is_program = fs::metadata(&file)?.permissions().mode() & 0o111 != 0;
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(if is_program { 0o755 } else { 0o644 });
        header.set_mtime(0);
        tar.append_data(&mut header, file.strip_prefix(parent)?, bytes.as_slice())?;
    }
    tar.into_inner()?.finish()?.sync_all()?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    fs::write(archive.with_file_name(format!("{name}.sha256")), format!("{}  {name}\n", sha256(archive)?))?;
    Ok(archive.to_owned())
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn sha256(file: &Path) -> Result<String, Failure> {
    let digest = Sha256::digest(fs::read(file)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
