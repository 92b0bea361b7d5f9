//! Which folders and files an image folder has.

use std::fs;
use std::path::{Path, PathBuf};

use firebrick_component::text;

use crate::error::DataError;

/// How deep folders may lie inside a class folder.
const MAX_DEPTH: usize = 16;
/// The most files of one split.
const MAX_FILES: usize = 50_000_000;
/// Names of the folder that holds the validation split; one of them at most is there.
const VALIDATION_FOLDERS: [&str; 3] = ["val", "valid", "validation"];

/// The folders of the splits.
pub(super) struct SplitFolders {
    pub(super) train: PathBuf,
    pub(super) validation: Option<PathBuf>,
    /// None where all images are training images: `data.validation` then takes some of them to test on.
    pub(super) test: Option<PathBuf>,
}

pub(super) fn locate(root: &Path) -> Result<SplitFolders, DataError> {
    let mut folders: Vec<PathBuf> = if root.is_dir() { list(root)? } else { Vec::new() };
    folders.retain(|path| path.is_dir());
    // Of two names that differ in case alone, the one in lower case, which sorts last.
    folders.sort_by(|a, b| b.cmp(a));
    let named = |name: &str| folders.iter().find(|path| is_called(path, name)).cloned();
    let mut validation: Vec<PathBuf> = VALIDATION_FOLDERS.iter().filter_map(|name| named(name)).collect();
    if let [first, second, ..] = validation.as_slice() {
        return Err(DataError::malformed(
            root,
            "folders",
            format!("one folder of validation images ({})", VALIDATION_FOLDERS.join(", ")),
            format!("{} and {}", text::path(first), text::path(second)),
            "put the images together, or move one folder out of the data set",
        ));
    }
    let validation = validation.pop();
    match (named("train"), validation, named("test")) {
        (Some(train), validation, Some(test)) => Ok(SplitFolders { train, validation, test: Some(test) }),
        (Some(train), test, None) if test.is_some() => Ok(SplitFolders { train, validation: None, test }),
        (Some(train), _, _) => match folders.iter().find(|folder| **folder != train) {
            None => Ok(SplitFolders { train, validation: None, test: None }),
            Some(other) => Err(only_train(root, other)),
        },
        (None, None, None) if folders.len() >= 2 => {
            Ok(SplitFolders { train: root.to_path_buf(), validation: None, test: None })
        }
        (None, _, _) => Err(DataError::missing(
            "image_folder",
            root,
            vec![
                "train/<class>/*".to_owned(),
                "test/<class>/* or val/<class>/*".to_owned(),
                "or <class>/*, with two classes or more".to_owned(),
            ],
            "make these folders, with one folder a class, or point data.root at the folder that has them",
        )),
    }
}

fn is_called(folder: &Path, name: &str) -> bool {
    folder.file_name().is_some_and(|found| found.eq_ignore_ascii_case(name))
}

/// `train` may be a class among others, or a split that lacks its counterpart.
fn only_train(root: &Path, other: &Path) -> DataError {
    DataError::malformed(
        root,
        "folders",
        "a folder `test` or `val` beside the folder `train`, or nothing else",
        text::path(other),
        "to test on a part of the training images, move this folder away and set data.validation = 0.2; if `train` is \
         a class among others, give it another name",
    )
}

/// The names of the class folders, sorted.
pub(in crate::source) fn class_names(split: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for path in list(split)? {
        if !path.is_dir() {
            return Err(DataError::malformed(
                &path,
                "place",
                "one folder a class, and nothing else",
                "a file beside the class folders",
                "move it into its class folder, or out of the data set",
            ));
        }
        names.push(unicode_name(&path)?);
    }
    if names.is_empty() {
        return Err(DataError::malformed(
            split,
            "folder",
            "one folder a class",
            "nothing",
            "make a folder for each class and put its images there",
        ));
    }
    names.sort();
    Ok(names)
}

fn unicode_name(path: &Path) -> Result<String, DataError> {
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    name.ok_or_else(|| DataError::malformed(path, "name", "a name in Unicode", "other bytes", "rename it"))
}

pub(super) fn check_same_classes(train: &Path, names: &[String], test: &Path) -> Result<(), DataError> {
    let found = class_names(test)?;
    let lacks = names.iter().find(|name| !found.contains(name));
    let extra = found.iter().find(|name| !names.contains(name));
    let got = match (lacks, extra) {
        (None, None) => return Ok(()),
        (Some(name), _) => format!("no folder `{name}`"),
        (None, Some(name)) => format!("a folder `{name}` more"),
    };
    Err(DataError::malformed(
        test,
        "classes",
        format!("the {} classes of {}", names.len(), text::path(train)),
        got,
        "give every split the same class folders",
    ))
}

/// All files of a split with their labels, in the order of the samples.
pub(in crate::source) fn list_split(
    split: &Path,
    names: &[String],
) -> Result<Vec<(PathBuf, u32)>, DataError> {
    let mut files = Vec::new();
    for (label, name) in (0_u32..).zip(names) {
        let folder = split.join(name);
        let mut walk = Walk { files: Vec::new(), ancestors: Vec::new() };
        walk.folder(&folder)?;
        if walk.files.is_empty() {
            return Err(DataError::malformed(
                &folder,
                "class folder",
                "at least one image",
                "none",
                "put images there, or remove the class from every split",
            ));
        }
        // By folder, then by name, as torchvision sorts them.
        walk.files.sort_by(|a, b| (a.parent(), a.file_name()).cmp(&(b.parent(), b.file_name())));
        files.extend(walk.files.into_iter().map(|path| (path, label)));
        if files.len() > MAX_FILES {
            let (expected, got) = (format!("at most {MAX_FILES} files"), files.len());
            return Err(DataError::malformed(split, "folder", expected, got, "remove some"));
        }
    }
    Ok(files)
}

/// The files under one class folder.
struct Walk {
    files: Vec<PathBuf>,
    /// The real paths of the folders being walked, outermost first.
    ancestors: Vec<PathBuf>,
}

impl Walk {
    fn folder(&mut self, folder: &Path) -> Result<(), DataError> {
        let real = folder.canonicalize().map_err(|error| DataError::io(folder, "follow the link", error))?;
        if self.ancestors.contains(&real) || self.ancestors.len() > MAX_DEPTH {
            return Err(DataError::malformed(
                folder,
                "folder",
                format!("at most {MAX_DEPTH} folders in one another, without circles"),
                format!("a way back to {}", text::path(&real)),
                "remove the link",
            ));
        }
        self.ancestors.push(real);
        for path in list(folder)? {
            let metadata = path.metadata().map_err(|error| DataError::io(&path, "read", error))?;
            if metadata.is_dir() {
                self.folder(&path)?;
            } else {
                self.files.push(path);
            }
        }
        self.ancestors.pop();
        Ok(())
    }
}

/// What a folder holds, without the files that systems leave behind by themselves.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let fail = |error| DataError::io(folder, "list the folder", error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with('.') || name == "Thumbs.db" || name == "desktop.ini") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}
