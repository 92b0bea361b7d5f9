//! Data sets that come as several files, whose names or folders say which split they belong to: `train-00000-of-00002.parquet`,
//! `test/0001.tar`.

use std::fs;
use std::path::{Path, PathBuf};

use firebrick_component::text;

use crate::error::DataError;
use crate::split::StoredSplit;

/// How deep below the root a file may lie.
const MAX_DEPTH: usize = 3;
/// The most files of a data set.
const MAX_SHARDS: usize = 100_000;
/// How names of splits begin.
const PREFIXES: [(&str, StoredSplit); 7] = [
    ("train", StoredSplit::Train),
    ("validation", StoredSplit::Validation),
    ("valid", StoredSplit::Validation),
    ("val", StoredSplit::Validation),
    ("dev", StoredSplit::Validation),
    ("test", StoredSplit::Test),
    ("eval", StoredSplit::Test),
];

/// The files of each split, sorted by path.
#[derive(Debug, Default)]
pub(super) struct Shards {
    pub(super) train: Vec<PathBuf>,
    pub(super) validation: Vec<PathBuf>,
    pub(super) test: Vec<PathBuf>,
}

/// The split that a name says: a word at its start, with nothing but digits, marks or the end behind it.
pub(super) fn split_of(name: &str) -> Option<StoredSplit> {
    let name = name.to_ascii_lowercase();
    let found = PREFIXES.iter().find(|(prefix, _)| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphabetic()))
    });
    found.map(|(_, split)| *split)
}

/// The files below `root` whose names end in `extension`. A file's own name says its split, or the nearest folder's does;
/// where no name says anything, all are training samples. Without test files, validation files are the test split.
///
/// # Errors
/// [`DataError::Missing`] without any; [`DataError::Malformed`] when some names say a split and others do not, or none says
/// `train`; [`DataError::Io`].
pub(super) fn find(dataset: &str, root: &Path, extension: &str) -> Result<Shards, DataError> {
    let mut found = Vec::new();
    if root.is_dir() {
        walk(root, extension, 0, &mut found)?;
    }
    if found.is_empty() {
        let looked_for = vec![format!("train*.{extension}"), format!("train/*.{extension}")];
        return Err(DataError::missing(
            dataset,
            root,
            looked_for,
            "put the files there, or point data.root at them",
        ));
    }
    found.sort();
    let splits: Vec<Option<StoredSplit>> = found.iter().map(|path| split_below(root, path)).collect();
    let mut shards = Shards::default();
    if splits.iter().all(Option::is_none) {
        shards.train = found;
        return Ok(shards);
    }
    for (path, split) in found.into_iter().zip(splits) {
        match split {
            Some(StoredSplit::Train) => shards.train.push(path),
            Some(StoredSplit::Validation) => shards.validation.push(path),
            Some(StoredSplit::Test) => shards.test.push(path),
            None => {
                let expected =
                    "a name or a folder that begins with train, val, validation or test, as others here do";
                let hint = "rename the file, or move it out of the data set";
                return Err(DataError::malformed(&path, "name", expected, "neither", hint));
            }
        }
    }
    if shards.train.is_empty() {
        let expected = format!("files whose names or folders begin with train (*.{extension})");
        return Err(DataError::malformed(root, "files", expected, "none", "rename them so"));
    }
    if shards.test.is_empty() {
        shards.test = std::mem::take(&mut shards.validation);
    }
    Ok(shards)
}

fn split_below(root: &Path, path: &Path) -> Option<StoredSplit> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let mut parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.reverse();
    parts.iter().find_map(|part| split_of(part))
}

fn walk(folder: &Path, extension: &str, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let fail = |error| DataError::io(folder, "list the folder", error);
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                walk(&path, extension, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension)) {
            found.push(path);
        }
        if found.len() > MAX_SHARDS {
            let got = format!("more below {}", text::path(folder));
            return Err(DataError::malformed(
                folder,
                "files",
                format!("at most {MAX_SHARDS} files"),
                got,
                "remove some",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::split_of;
    use crate::split::StoredSplit;

    #[test]
    fn names_that_say_a_split() {
        for name in ["train", "train-00000-of-00002.parquet", "Train_01.tar", "train.parquet", "train2"] {
            assert_eq!(split_of(name), Some(StoredSplit::Train), "{name}");
        }
        for name in ["val", "valid-0", "validation", "dev.tar"] {
            assert_eq!(split_of(name), Some(StoredSplit::Validation), "{name}");
        }
        assert_eq!(split_of("test-0000"), Some(StoredSplit::Test));
        for name in ["trains", "testing", "value", "0000.parquet", "data"] {
            assert_eq!(split_of(name), None, "{name}");
        }
    }
}
