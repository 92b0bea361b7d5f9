//! A folder that counts only as a whole: its files, and a manifest of their lengths and hashes that
//! is written last. It is made under a temporary name and renamed, so a reader sees all of it or
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic::sync_folder;
use crate::path::{parent_of, split_path};
use crate::temporary::{MARK, Temporary};
use crate::{StorageError, operation, read_bounded, sha256_file, write_atomic};

/// The manifest's name in a committed folder.
pub const MANIFEST_FILE: &str = "MANIFEST.json";
/// The manifest format that this version writes and reads.
pub const MANIFEST_FORMAT_VERSION: u32 = 1;
/// Far above any honest manifest.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// How deep folders may lie in one another.
const MAX_DEPTH: usize = 16;

/// What a committed folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The manifest's format.
    pub format_version: u32,
    /// Every file but the manifest itself, by its path in the folder, parts joined by `/`.
    pub files: BTreeMap<String, FileEntry>,
}

/// Length and hash of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Creates the folder `parent/name` with what `write` puts into the folder it is given. Every file
/// is flushed to the disk, the manifest is written last, the folder is renamed into place and
/// `parent` flushed. A folder of that name is replaced: it is first renamed to `.<name>.tmp-*`.
///
/// # Failure
/// When `write` or a flush fails, `parent` is as before. A crash can leave folders `.<name>.tmp-*`, which
/// [`remove_leftovers`] deletes. A crash between the two renames of a replacement leaves the old
/// folder under its temporary name only and none at `parent/name`, which [`remove_leftovers`] mends; if
/// the second rename fails, the old folder is put back at once.
///
/// # Errors
/// [`StorageError::Name`] unless `name` is one plain name, [`StorageError::Manifest`] when `write`
/// left a link or a file named `MANIFEST.json`, [`StorageError::Write`], [`StorageError::Io`], and whatever `write` returns.
pub fn commit_folder(
    parent: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), StorageError>,
) -> Result<PathBuf, StorageError> {
    check_name(parent, name)?;
    let target = parent.join(name);
    let mut draft = temporary_folder(parent, name)?;
    write(draft.path())?;
    if fs::symlink_metadata(draft.path().join(MANIFEST_FILE)).is_ok() {
        let expected = "no file of this name before the manifest is written";
        return Err(distrust(&target, MANIFEST_FILE, expected, "one"));
    }
    let manifest = describe(draft.path())?;
    sync_tree(draft.path(), &manifest)?;
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|error| StorageError::contents(&target, error))?;
    write_atomic(&draft.path().join(MANIFEST_FILE), &text)?;
    replace_folder(parent, name, &mut draft)?;
    Ok(target)
}

/// Makes a folder and those above it that are missing, each durable before this returns.
///
/// # Failure
/// Some of the folders may be there.
///
/// # Errors
/// [`StorageError::Io`].
pub fn create_folders(path: &Path) -> Result<(), StorageError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    create_folders(parent)?;
    // Another process may have made it in between.
    if create_folder(path)? || path.is_dir() {
        return Ok(());
    }
    let error = io::Error::new(io::ErrorKind::AlreadyExists, "a file of this name is in its place");
    Err(StorageError::io(path, "create the folder", error))
}

/// Makes a folder in one that is there, durable before this returns; false if the name is taken. Of
/// several processes that try at once, one gets true.
///
/// # Errors
/// [`StorageError::Io`].
pub fn create_folder(path: &Path) -> Result<bool, StorageError> {
    match operation::create_folder(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        made => made.map_err(|error| StorageError::io(path, "create the folder", error))?,
    }
    sync_folder(parent_of(path)).map(|()| true)
}

/// Removes a folder with everything in it, so that a reader sees all of it or nothing: it first
/// gets a temporary name.
///
/// # Failure
/// A part may be left under the name `.<name>.tmp-*`, which [`remove_leftovers`] deletes.
///
/// # Errors
/// [`StorageError::Name`] when `path` has no name, [`StorageError::Io`].
pub fn remove_folder(path: &Path) -> Result<(), StorageError> {
    let fail = |error| StorageError::io(path, "remove", error);
    let (parent, name) = split_path(path)?;
    let (mut aside, ()) =
        Temporary::new(parent, &name, |aside| operation::rename(path, aside)).map_err(fail)?;
    match operation::remove(aside.path()) {
        // Something else has just put a file into it: that of a network file system which another process has open,
        // or of a file manager. It has a temporary name, and the next `remove_leftovers` tries again.
        Err(error) if is_held_by_another(&error) => {
            aside.keep();
            Ok(())
        }
        removed => removed.map_err(fail),
    }
}

fn is_held_by_another(error: &io::Error) -> bool {
    use io::ErrorKind::{DirectoryNotEmpty, PermissionDenied, ResourceBusy};
    matches!(error.kind(), DirectoryNotEmpty | PermissionDenied | ResourceBusy)
}

/// Gives a folder another name in the folder where it lies, durable before this returns.
///
/// # Errors
/// [`StorageError::Name`] unless `name` is one plain name, [`StorageError::Io`].
pub fn rename_folder(path: &Path, name: &str) -> Result<PathBuf, StorageError> {
    let parent = parent_of(path);
    check_name(parent, name)?;
    let target = parent.join(name);
    operation::rename(path, &target).map_err(|error| StorageError::io(path, "rename", error))?;
    sync_folder(parent).map(|()| target)
}

/// Reads the manifest of `folder` and compares every file with it. Only reads. What a desktop or a network file system
/// leaves (`.DS_Store`, `.nfs..`, `Thumbs.db`, other hidden names) counts as not there.
///
/// # Errors
/// [`StorageError::Manifest`] when a file is missing, added, of another length or of another hash,
/// or when the manifest is missing, damaged or of another format; [`StorageError::Io`].
pub fn verify_folder(folder: &Path) -> Result<Manifest, StorageError> {
    let manifest = read_manifest(folder)?;
    let present: BTreeSet<String> = list_files(folder)?.into_iter().collect();
    for name in manifest.files.keys() {
        if !present.contains(name) {
            return Err(distrust(folder, name, "the file of the manifest", "no such file"));
        }
    }
    for name in &present {
        let Some(entry) = manifest.files.get(name) else {
            return Err(distrust(folder, name, "only the files of the manifest", "this one too"));
        };
        let (bytes, sha256) = sha256_file(&folder.join(name))?;
        if bytes != entry.bytes {
            let (expected, got) = (format!("{} bytes", entry.bytes), format!("{bytes} bytes"));
            return Err(distrust(folder, name, &expected, &got));
        }
        if sha256 != entry.sha256 {
            let (expected, got) = (format!("sha256 {}", entry.sha256), format!("sha256 {sha256}"));
            return Err(distrust(folder, name, &expected, &got));
        }
    }
    Ok(manifest)
}

/// Deletes the temporary files and folders (`.NAME.tmp-*`) that a crash left in `parent`, where `is_ours` says yes to
/// the name, after putting back a folder that [`commit_folder`] had moved aside and not yet replaced. Returns how many
/// it dealt with. Call it only while holding the [`RunLock`](crate::RunLock), because another
/// writer's drafts look the same.
///
/// # Failure
/// Stops at the first that cannot be moved or deleted and leaves the rest.
///
/// # Errors
/// [`StorageError::Io`].
pub fn remove_leftovers(parent: &Path, is_ours: impl Fn(&str) -> bool) -> Result<usize, StorageError> {
    let mut removed = 0;
    for entry in read_folder(parent)? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Some((original, _)) = name.strip_prefix('.').and_then(|name| name.rsplit_once(MARK)) else {
            continue;
        };
        if !is_ours(original) {
            continue;
        }
        let path = entry.path();
        put_back(parent, original, &path)?;
        match operation::remove(&path) {
            Err(error) if is_held_by_another(&error) => {}
            done => done.map_err(|error| StorageError::io(&path, "remove", error))?,
        }
        removed += 1;
    }
    Ok(removed)
}

/// Moves `<name>` in the temporary folder `path` back to `parent/<name>` when nothing is there.
fn put_back(parent: &Path, name: &str, path: &Path) -> Result<(), StorageError> {
    let (aside, target) = (path.join(name), parent.join(name));
    if name.is_empty() || !aside.is_dir() || fs::symlink_metadata(&target).is_ok() {
        return Ok(());
    }
    operation::rename(&aside, &target).map_err(|error| StorageError::io(&target, "put back", error))?;
    sync_folder(parent)
}

fn temporary_folder(parent: &Path, name: &str) -> Result<Temporary, StorageError> {
    Temporary::new(parent, name, operation::create_folder)
        .map(|(folder, ())| folder)
        .map_err(|error| StorageError::io(parent, "create a temporary folder in", error))
}

/// Puts `draft` at `parent/name`, moving what is there out of the way first: a folder cannot be
/// renamed over another one. The old one is removed when the new one is durable.
fn replace_folder(parent: &Path, name: &str, draft: &mut Temporary) -> Result<(), StorageError> {
    let target = parent.join(name);
    if fs::symlink_metadata(&target).is_err() {
        draft.move_to(&target)?;
        return sync_folder(parent);
    }
    // Removed when it goes out of scope, and the old folder with it.
    let mut aside = temporary_folder(parent, name)?;
    let old = aside.path().join(name);
    operation::rename(&target, &old).map_err(|error| StorageError::io(&target, "move aside", error))?;
    if let Err(error) = draft.move_to(&target) {
        // If this fails too, the old folder must not be removed with the temporary one.
        if operation::rename(&old, &target).is_err() {
            aside.keep();
        }
        return Err(error);
    }
    sync_folder(parent).inspect_err(|_| aside.keep())
}

fn check_name(parent: &Path, name: &str) -> Result<(), StorageError> {
    let mut parts = Path::new(name).components();
    let plain = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
    if plain && parts.next().is_none() && !name.starts_with('.') && !name.contains('\\') {
        return Ok(());
    }
    Err(StorageError::Name { parent: parent.to_path_buf(), name: name.to_owned() })
}

/// Lengths and hashes of all files under `folder`.
fn describe(folder: &Path) -> Result<Manifest, StorageError> {
    let mut files = BTreeMap::new();
    for name in list_files(folder)? {
        let (bytes, sha256) = sha256_file(&folder.join(&name))?;
        files.insert(name, FileEntry { bytes, sha256 });
    }
    Ok(Manifest { format_version: MANIFEST_FORMAT_VERSION, files })
}

/// Flushes every file and every folder that holds one.
fn sync_tree(folder: &Path, manifest: &Manifest) -> Result<(), StorageError> {
    let mut folders = BTreeSet::new();
    for name in manifest.files.keys() {
        sync_file(&folder.join(name))?;
        folders.extend(Path::new(name).ancestors().skip(1));
    }
    folders.into_iter().try_for_each(|inner| sync_folder(&folder.join(inner)))
}

/// Flushes the contents of a file that the caller of [`commit_folder`] wrote.
fn sync_file(path: &Path) -> Result<(), StorageError> {
    // Windows flushes only through a handle that may write.
    fs::OpenOptions::new()
        .read(true)
        .write(cfg!(windows))
        .open(path)
        .and_then(|file| operation::sync_file(&file, path))
        .map_err(|error| StorageError::io(path, "flush to disk", error))
}

fn read_manifest(folder: &Path) -> Result<Manifest, StorageError> {
    let path = folder.join(MANIFEST_FILE);
    let is_absent = match path.metadata() {
        Ok(found) => !found.is_file(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(StorageError::io(&path, "read", error)),
    };
    if folder.is_dir() && is_absent {
        return Err(distrust(folder, MANIFEST_FILE, "a manifest", "none: it was never finished"));
    }
    let text = read_bounded(&path, MAX_MANIFEST_BYTES)?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| distrust(folder, MANIFEST_FILE, "a manifest", &error.to_string()))?;
    if manifest.format_version != MANIFEST_FORMAT_VERSION {
        let expected = format!("format version {MANIFEST_FORMAT_VERSION}");
        let got = format!("format version {}", manifest.format_version);
        return Err(distrust(folder, MANIFEST_FILE, &expected, &got));
    }
    Ok(manifest)
}

/// Names that desktops and network file systems put beside files which are not theirs.
pub fn is_of_the_system(name: &str) -> bool {
    name.starts_with('.')
        || name == "@eaDir"
        || ["Thumbs.db", "desktop.ini"].iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// The names of all files under `folder` but its manifest, parts joined by `/`.
fn list_files(folder: &Path) -> Result<Vec<String>, StorageError> {
    let mut names = Vec::new();
    list_into(folder, folder, 0, &mut names)?;
    names.retain(|name| name != MANIFEST_FILE);
    Ok(names)
}

fn list_into(root: &Path, folder: &Path, depth: usize, names: &mut Vec<String>) -> Result<(), StorageError> {
    if depth > MAX_DEPTH {
        let expected = format!("at most {MAX_DEPTH} folders in one another");
        return Err(distrust(root, &folder.display().to_string(), &expected, "more"));
    }
    for entry in read_folder(folder)? {
        if is_of_the_system(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| StorageError::io(&path, "read", error))?;
        let name = relative_name(root, &path)?;
        if kind.is_dir() {
            list_into(root, &path, depth + 1, names)?;
        } else if kind.is_file() {
            names.push(name);
        } else {
            return Err(distrust(root, &name, "a file or folder", "a link or device"));
        }
    }
    Ok(())
}

fn relative_name(root: &Path, path: &Path) -> Result<String, StorageError> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()
        .and_then(|inner| inner.components().map(|part| part.as_os_str().to_str()).collect());
    let shown = path.display().to_string();
    parts
        .map(|parts| parts.join("/"))
        .ok_or_else(|| distrust(root, &shown, "a name in Unicode", "one that is not"))
}

fn read_folder(folder: &Path) -> Result<Vec<fs::DirEntry>, StorageError> {
    let fail = |error| StorageError::io(folder, "list the folder", error);
    fs::read_dir(folder).map_err(fail)?.collect::<Result<_, _>>().map_err(fail)
}

fn distrust(folder: &Path, place: &str, expected: &str, got: &str) -> StorageError {
    StorageError::Manifest {
        path: folder.to_path_buf(),
        place: place.to_owned(),
        expected: expected.to_owned(),
        got: got.to_owned(),
    }
}
