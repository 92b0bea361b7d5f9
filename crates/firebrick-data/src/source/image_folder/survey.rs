//! What a folder of photos holds, as far as names and some headers tell: where its splits are, its classes, how many images
//! of each, how large. Nothing is decoded, and nothing has to be known before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_storage::{StorageError, read_bounded, read_prefix};

use super::listing::{check_same_classes, class_names, list, list_split, locate};
use crate::error::DataError;
use crate::image_file::{MAX_IMAGE_FILE_BYTES, probe};
use crate::split::StoredSplit;

/// As many headers are read, spread evenly over the training images.
const MOST_HEADERS: usize = 400;
/// Of each of them as much; nearly every header is shorter.
const HEADER_BYTES: usize = 1 << 16;
/// Endings of files that are taken for images before they are opened.
const IMAGE_ENDINGS: [&str; 12] =
    ["jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp", "ppm", "pgm", "pbm", "pnm"];
/// Endings of archives.
const ARCHIVE_ENDINGS: [&str; 10] = ["zip", "tar", "gz", "tgz", "bz2", "tbz2", "xz", "zst", "7z", "rar"];
/// Names of folders that hold a split, `train` apart.
const EVALUATED: [&str; 4] = ["val", "valid", "validation", "test"];
/// The most names that a message lists.
const MOST_NAMED: usize = 4;

/// What a folder of photos holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSurvey {
    /// What `data.root` has to be: the folder that was asked about, or the one folder in it.
    pub root: PathBuf,
    /// The classes in the order of their numbers.
    pub class_names: Vec<String>,
    /// The stored splits, the training split first.
    pub splits: Vec<SplitSurvey>,
    /// Sizes of the training images.
    pub sizes: ImageSizes,
}

/// A stored split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitSurvey {
    /// Which one. A folder `val` without a `test` beside it is the test split.
    pub stored: StoredSplit,
    /// Where it lies.
    pub folder: PathBuf,
    /// Images of each class, in the order of the classes.
    pub counts: Vec<usize>,
}

/// Sizes in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSizes {
    /// Images whose headers were read.
    pub looked_at: usize,
    /// The smallest shorter side of them.
    pub smallest: usize,
    /// The middle one of their shorter sides; the lower of two.
    pub median: usize,
    /// The largest shorter side of them.
    pub largest: usize,
}

impl FolderSurvey {
    /// Images of the training split.
    pub fn num_train(&self) -> usize {
        self.splits.first().map_or(0, SplitSurvey::num_images)
    }

    /// The stored split, if there is one.
    pub fn split(&self, stored: StoredSplit) -> Option<&SplitSurvey> {
        self.splits.iter().find(|split| split.stored == stored)
    }
}

impl SplitSurvey {
    /// Images of all classes.
    pub fn num_images(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// Looks at a folder: `<class>/*`, or `train/<class>/*` with perhaps `val` and `test`, also one folder further down.
///
/// # Errors
///
/// [`DataError::Malformed`] or [`DataError::Missing`] for a folder that is no such thing; they say what it is as far as can
/// be seen, and what to do. [`DataError::Io`] and [`DataError::Storage`] for what cannot be read.
pub fn survey(folder: &Path) -> Result<FolderSurvey, DataError> {
    let here = Glance::at(folder)?;
    let root = match here.only_wrapper()? {
        Some(inner) => inner,
        None => folder.to_owned(),
    };
    let there = Glance::at(&root)?;
    there.check_is_photos()?;
    let root = there.lone_train()?.unwrap_or(root);
    let folders = locate(&root)?;
    let class_names = class_names(&folders.train)?;
    if let [only] = class_names.as_slice() {
        return Err(one_class(&folders.train, only));
    }
    let mut files = Vec::new();
    let mut splits = Vec::new();
    let others = [(StoredSplit::Validation, &folders.validation), (StoredSplit::Test, &folders.test)];
    let others = others.into_iter().filter_map(|(stored, folder)| Some((stored, folder.as_ref()?)));
    for (stored, folder) in std::iter::once((StoredSplit::Train, &folders.train)).chain(others) {
        check_same_classes(&folders.train, &class_names, folder)?;
        let found = list_split(folder, &class_names)?;
        let mut counts = vec![0; class_names.len()];
        for (_, label) in &found {
            counts[*label as usize] += 1;
        }
        splits.push(SplitSurvey { stored, folder: folder.clone(), counts });
        if stored == StoredSplit::Train {
            files = found;
        }
    }
    let sizes = sizes(&files)?;
    Ok(FolderSurvey { root, class_names, splits, sizes })
}

/// Whether a file's name is that of an archive.
pub fn is_archive(path: &Path) -> bool {
    has_ending(path, &ARCHIVE_ENDINGS)
}

/// Whether a file's name is that of an image that can be read.
pub fn is_image(path: &Path) -> bool {
    has_ending(path, &IMAGE_ENDINGS)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

/// What lies directly in a folder.
struct Glance {
    path: PathBuf,
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Glance {
    fn at(path: &Path) -> Result<Self, DataError> {
        let (mut folders, mut files): (Vec<_>, Vec<_>) =
            list(path)?.into_iter().partition(|path| path.is_dir());
        folders.sort();
        files.sort();
        Ok(Self { path: path.to_owned(), folders, files })
    }

    fn images(&self) -> usize {
        self.files.iter().filter(|path| is_image(path)).count()
    }

    /// The one folder around everything, such as an archive leaves it: it holds folders, and no image itself.
    fn only_wrapper(&self) -> Result<Option<PathBuf>, DataError> {
        let [only] = self.folders.as_slice() else { return Ok(None) };
        if self.images() > 0 || is_named(only, &["train"]) || is_named(only, &EVALUATED) {
            return Ok(None);
        }
        let inner = Self::at(only)?;
        Ok((inner.images() == 0 && !inner.folders.is_empty()).then(|| only.clone()))
    }

    /// The folder `train` where it holds class folders, and what lies beside it holds no split.
    fn lone_train(&self) -> Result<Option<PathBuf>, DataError> {
        let train = self.folders.iter().find(|folder| is_named(folder, &["train"]));
        let Some(train) = train.filter(|_| self.folders.len() > 1 && !self.has(&EVALUATED)) else {
            return Ok(None);
        };
        Ok((!Self::at(train)?.folders.is_empty()).then(|| train.clone()))
    }

    fn has(&self, names: &[&str]) -> bool {
        self.folders.iter().any(|folder| is_named(folder, names))
    }

    /// Refuses what has neither splits nor classes directly in it.
    fn check_is_photos(&self) -> Result<(), DataError> {
        if self.has(&["train"]) {
            let train = self.folders.iter().find(|folder| is_named(folder, &["train"]));
            let inside = train.map(|folder| Self::at(folder)).transpose()?;
            return inside.map_or(Ok(()), |inside| inside.check_is_split());
        }
        if self.folders.is_empty() {
            return Err(self.without_classes());
        }
        if self.has(&EVALUATED) {
            return Err(self.refused(
                "a folder `train` beside the folders of the other splits",
                format!("{}, and no `train`", self.names()),
                "put the images to learn from in train/<class>/*; if these are the names of classes, rename them",
            ));
        }
        let mut with_images = 0;
        for folder in &self.folders {
            with_images += usize::from(Self::at(folder)?.images() > 0);
        }
        match (with_images, self.folders.as_slice()) {
            (0, _) => Err(self.without_images_below()?),
            (_, [only]) => Err(one_class(&self.path, &name_of(only))),
            _ if self.images() > 0 => Err(self.refused(
                "one folder for each class and no image beside them",
                format!("{} beside {}", image_files(self.images()), folders(self.folders.len())),
                "move each image into the folder of its class, or out of here",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a `train` folder that has images in it and no classes.
    fn check_is_split(&self) -> Result<(), DataError> {
        if self.folders.is_empty() { Err(self.without_classes()) } else { Ok(()) }
    }

    /// Nothing but files.
    fn without_classes(&self) -> DataError {
        let images = self.images();
        if images > 0 {
            return self.refused(
                "one folder for each class",
                format!("{} and no folder", image_files(images)),
                "make a folder for each class and move its images there: the folders' names are what is learned",
            );
        }
        let archives: Vec<&PathBuf> = self.files.iter().filter(|path| is_archive(path)).collect();
        if let Some(first) = archives.first() {
            let hint = format!("unpack it first, as in: {}", unpacking(first));
            return self.refused("one folder for each class", text::path(first), hint);
        }
        let got = match self.files.len() {
            0 => "nothing".to_owned(),
            count => format!("{count} files that are no images{}", endings(&self.files)),
        };
        self.refused("one folder for each class", got, "put the images of each class in a folder of its name")
    }

    /// Folders, and in none of them an image.
    fn without_images_below(&self) -> Result<DataError, DataError> {
        let (mut deeper, mut files, mut complete) = (Vec::new(), Vec::new(), Vec::new());
        for folder in &self.folders {
            let inside = Self::at(folder)?;
            files.extend(inside.files.iter().cloned());
            for inner in &inside.folders {
                if Self::at(inner)?.images() > 0 {
                    deeper.push(inner.clone());
                }
            }
            if inside.check_is_photos().is_ok() {
                complete.push(folder.clone());
            }
        }
        if let [first, ..] = complete.as_slice() {
            return Ok(self.refused(
                "one folder for each class, or a folder `train` that has them",
                format!("folders that hold folders themselves: {}", self.names()),
                format!("choose one of them, such as {}", text::path(first)),
            ));
        }
        if let [first, ..] = deeper.as_slice() {
            return Ok(self.refused(
                "one folder for each class, with images in it",
                format!("images two folders down: {}", text::path(first)),
                "the classes have to be the first folders: name the folder that holds them, or move the images up",
            ));
        }
        let got = match files.len() {
            0 => format!("{} without a file in them", folders(self.folders.len())),
            count => format!(
                "{} with {count} files that are no images{}",
                folders(self.folders.len()),
                endings(&files)
            ),
        };
        Ok(self.refused(
            "images in the class folders",
            got,
            "PNG, JPEG, BMP, GIF, PNM, TIFF and WebP can be read; convert others",
        ))
    }

    /// The folders' names, for a message.
    fn names(&self) -> String {
        let names: Vec<String> = self.folders.iter().map(|folder| format!("`{}`", name_of(folder))).collect();
        match names.len() {
            0..=MOST_NAMED => names.join(", "),
            count => format!("{} and {} more", names[..MOST_NAMED].join(", "), count - MOST_NAMED),
        }
    }

    fn refused(&self, expected: &str, got: impl ToString, hint: impl ToString) -> DataError {
        DataError::malformed(&self.path, "folder", expected, got.to_string(), hint.to_string())
    }
}

fn folders(count: usize) -> String {
    if count == 1 { "1 folder".to_owned() } else { format!("{count} folders") }
}

fn image_files(count: usize) -> String {
    if count == 1 { "1 image file".to_owned() } else { format!("{count} image files") }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| text::one_line(&name.to_string_lossy()))
}

fn is_named(folder: &Path, names: &[&str]) -> bool {
    folder.file_name().is_some_and(|found| names.iter().any(|name| found.eq_ignore_ascii_case(name)))
}

fn one_class(folder: &Path, name: &str) -> DataError {
    DataError::malformed(
        folder,
        "folder",
        "two class folders or more",
        format!("one, `{name}`"),
        "add a folder with images of something else: a classifier tells at least two classes apart",
    )
}

/// How an archive is unpacked, as people type it.
fn unpacking(archive: &Path) -> String {
    let name = name_of(archive);
    match archive.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("zip") => format!("unzip {name}"),
        Some("7z") => format!("7z x {name}"),
        Some("rar") => format!("unrar x {name}"),
        _ => format!("tar -xf {name}"),
    }
}

/// The endings that files have most often, in brackets.
fn endings(files: &[PathBuf]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ending in files.iter().filter_map(|path| path.extension()) {
        *counts.entry(text::one_line(&ending.to_string_lossy()).to_lowercase()).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<String> =
        counts.iter().take(MOST_NAMED).map(|(ending, count)| format!("{count} .{ending}")).collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
}

/// Sizes of some of these files. Those that cannot be read are passed over here, for opening the data set reports them.
fn sizes(files: &[(PathBuf, u32)]) -> Result<ImageSizes, DataError> {
    let count = files.len().min(MOST_HEADERS);
    let (mut shorter, mut first_error) = (Vec::with_capacity(count), None);
    for index in 0..count {
        let (path, _) = &files[index * files.len() / count];
        match shorter_side(path) {
            Ok(side) => shorter.push(side),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    shorter.sort_unstable();
    match (shorter.as_slice(), first_error) {
        ([smallest, ..], _) => Ok(ImageSizes {
            looked_at: shorter.len(),
            smallest: *smallest,
            median: shorter[(shorter.len() - 1) / 2],
            largest: shorter[shorter.len() - 1],
        }),
        ([], Some(error)) => Err(error),
        ([], None) => unreachable!("bug: a split without files was not refused"),
    }
}

/// The shorter side that a file's header promises.
fn shorter_side(path: &Path) -> Result<usize, DataError> {
    let (start, length) = read_prefix(path, HEADER_BYTES)?;
    if length > MAX_IMAGE_FILE_BYTES {
        let (path, max_bytes) = (path.to_path_buf(), MAX_IMAGE_FILE_BYTES);
        return Err(StorageError::TooLong { path, max_bytes, got: format!("{length} bytes") }.into());
    }
    let shape = match probe(path, &start) {
        Err(_) if length > start.len() as u64 => probe(path, &read_bounded(path, MAX_IMAGE_FILE_BYTES)?)?,
        other => other?,
    };
    Ok(shape.height.min(shape.width))
}
