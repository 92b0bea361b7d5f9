//! A folder of image files: `train/<class>/*`, `test/<class>/*` and perhaps `val/<class>/*`, as
//! torchvision's `ImageFolder` reads it. The names of these folders may be in any case, and `val` may be
//! spelled `valid` or `validation`. Without a `test` folder, the `val` folder is the test split.
//!
//! Classes are numbered in the order of their names, samples are ordered by class, then by path. Every
//! file's header is checked at opening; pixels are decoded when asked for.
//!
//! Folders inside a class folder belong to it, and links are followed. Names that start with `.`, and
//! the `Thumbs.db` and `desktop.ini` of Windows, are passed over; any other file that is not an image is an error.
//!
//! # Source
//! `torchvision.datasets.ImageFolder`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn_dataset::Dataset;
use firebrick_component::Component;
use firebrick_storage::{Sha256Hasher, read_bounded, read_prefix};
use serde::{Deserialize, Serialize};

use super::interface::{DatasetSource, OpenRequest, SampleSet, SharedDataset, Source, check_cancelled};
use crate::error::DataError;
use crate::image::{MAX_IMAGE_FILE_BYTES, Sample, load_image_file, probe};
use crate::shape::InputShape;
use crate::transform::Normalization;

/// How deep folders may lie inside a class folder.
const MAX_DEPTH: usize = 16;
/// The most files of one split.
const MAX_FILES: usize = 50_000_000;
/// As much of each file is read at opening; nearly every header is shorter.
const HEADER_BYTES: usize = 1 << 16;
/// Names of the folder that holds the validation split; a data set has one of them.
const VALIDATION_FOLDERS: [&str; 3] = ["val", "valid", "validation"];

/// An image folder has no arguments besides `data.root`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolderConfig {}

impl Component for ImageFolderConfig {}

/// One split: the paths and labels of its files.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    files: Vec<(PathBuf, u32)>,
}

impl ImageFolder {
    /// The files and their labels, in the order of the samples.
    pub fn files(&self) -> &[(PathBuf, u32)] {
        &self.files
    }
}

impl DatasetSource for ImageFolderConfig {
    /// Lists the splits under `root` and checks the header of every file that is used. Where a limit is
    /// below a split's size, that many files spread evenly over it are used, because its order is by class.
    ///
    /// [`DataError::Missing`] without `train` and `test` folders; [`DataError::Malformed`] for a class
    /// folder without images, classes that differ between the splits, a file that is not an image, or
    /// links that lead in a circle; each names the file.
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let OpenRequest { root, wanted, limit, progress, .. } = *request;
        let folders = locate(root)?;
        let class_names = class_names(&folders.train)?;
        check_same_classes(&folders.train, &class_names, &folders.test)?;
        let train = pick_evenly(list_split(&folders.train, &class_names)?, limit.train);
        let test = pick_evenly(list_split(&folders.test, &class_names)?, limit.test);
        let validation = match folders.validation.filter(|_| wanted.validation) {
            None => None,
            Some(folder) => {
                check_same_classes(&folders.train, &class_names, &folder)?;
                Some(pick_evenly(list_split(&folder, &class_names)?, limit.validation))
            }
        };
        let stage = format!("checking the images of {}", root.display());
        let files = || train.iter().chain(&test).chain(validation.iter().flatten());
        progress.stage(&stage, Some(files().count() as u64));
        let mut check = Check { root, shapes: BTreeSet::new(), hasher: Sha256Hasher::new() };
        for (path, _) in files() {
            check_cancelled(progress, &stage)?;
            check.file(path)?;
            progress.advance(1);
        }
        let shape = if check.shapes.len() == 1 { check.shapes.pop_first() } else { None };
        let shared = |files| -> SharedDataset { Arc::new(ImageFolder { files }) };
        Ok(Source {
            origin: root.display().to_string(),
            class_names,
            train: Some(shared(train)),
            validation: validation.map(shared),
            test: Some(shared(test)),
            shape: shape.map(|(channels, height, width)| InputShape { channels, height, width }),
            fingerprint: check.hasher.finish(),
        })
    }

    /// Those of ImageNet, as torchvision's models use them. Computing a folder's own would mean to decode
    /// every image before the first step, and the result would change whenever an image is added. Who
    /// knows them writes `normalize = { mean = [..], std = [..] }`.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]))
    }

    fn is_ordered_by_class(&self) -> bool {
        true
    }
}

impl Dataset<Sample, DataError> for ImageFolder {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let count = self.files.len();
        let (path, label) = self.files.get(index).ok_or(DataError::Index { index, count })?;
        Ok(Sample { image: load_image_file(path)?, label: *label })
    }

    fn len(&self) -> usize {
        self.files.len()
    }
}

impl SampleSet for ImageFolder {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        let count = self.files.len();
        self.files.get(index).map(|(_, label)| *label).ok_or(DataError::Index { index, count })
    }
}

/// The folders of the splits.
struct SplitFolders {
    train: PathBuf,
    validation: Option<PathBuf>,
    test: PathBuf,
}

fn locate(root: &Path) -> Result<SplitFolders, DataError> {
    let mut folders: Vec<PathBuf> = if root.is_dir() { list(root)? } else { Vec::new() };
    folders.retain(|path| path.is_dir());
    // Of two names that differ in case alone, the one in lower case, which sorts last.
    folders.sort_by(|a, b| b.cmp(a));
    let named = |name: &str| {
        let has_name =
            |path: &&PathBuf| path.file_name().is_some_and(|found| found.eq_ignore_ascii_case(name));
        folders.iter().find(has_name).cloned()
    };
    let mut validations = VALIDATION_FOLDERS.iter().filter_map(|name| named(name));
    let validation = validations.next();
    if let (Some(one), Some(other)) = (&validation, validations.next()) {
        return Err(DataError::malformed(
            &other,
            "folder",
            "one folder of validation images",
            format!("two, this one and {}", one.display()),
            "put the images of both into one of them, or rename the one that is not meant",
        ));
    }
    match (named("train"), validation, named("test")) {
        (Some(train), validation, Some(test)) => Ok(SplitFolders { train, validation, test }),
        (Some(train), Some(test), None) => Ok(SplitFolders { train, validation: None, test }),
        (Some(_), None, None) => Err(DataError::missing(
            "image_folder",
            root,
            vec!["test/<class>/* or val/<class>/*".to_owned()],
            "there is a train folder, but nothing to test on: move some images of every class, a tenth say, from \
             train/<class> to test/<class>",
        )),
        _ => Err(DataError::missing(
            "image_folder",
            root,
            vec!["train/<class>/*".to_owned(), "test/<class>/* or val/<class>/*".to_owned()],
            "make both folders, with one folder a class in each, or point data.root at the folder \
             that has them",
        )),
    }
}

/// The names of the class folders, sorted.
fn class_names(split: &Path) -> Result<Vec<String>, DataError> {
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

fn check_same_classes(train: &Path, names: &[String], test: &Path) -> Result<(), DataError> {
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
        format!("the {} classes of {}", names.len(), train.display()),
        got,
        "give every split the same class folders",
    ))
}

/// All files of a split with their labels, in the order of the samples.
fn list_split(split: &Path, names: &[String]) -> Result<Vec<(PathBuf, u32)>, DataError> {
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
                format!("a way back to {}", real.display()),
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
fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
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

/// At most `limit` files, spread evenly over all of them.
fn pick_evenly(files: Vec<(PathBuf, u32)>, limit: Option<usize>) -> Vec<(PathBuf, u32)> {
    let total = files.len();
    match limit {
        Some(count) if count < total => {
            (0..count).map(|index| files[index * total / count].clone()).collect()
        }
        _ => files,
    }
}

/// What checking the files gathers.
struct Check<'a> {
    root: &'a Path,
    shapes: BTreeSet<(usize, usize, usize)>,
    hasher: Sha256Hasher,
}

impl Check<'_> {
    /// Checks one file's header and adds its name, size and start to the fingerprint.
    fn file(&mut self, path: &Path) -> Result<(), DataError> {
        let (start, length) = read_prefix(path, HEADER_BYTES)?;
        let shape = match probe(path, &start) {
            // A header may lie anywhere in a TIFF file, or behind a long colour profile.
            Err(_) if length > start.len() as u64 => probe(path, &read_bounded(path, MAX_IMAGE_FILE_BYTES)?)?,
            other => other?,
        };
        self.shapes.insert((shape.channels, shape.height, shape.width));
        let name = path
            .strip_prefix(self.root)
            .unwrap_or_else(|_| unreachable!("bug: {} is not in {}", path.display(), self.root.display()));
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        self.hasher.field(&parts.join("/"), &length.to_le_bytes());
        self.hasher.update(&start);
        Ok(())
    }
}
