//! A folder of image files: `train/<class>/*`, `test/<class>/*` and perhaps `val/<class>/*`, as
//! torchvision's `ImageFolder` reads it. The names of these folders may be in any case, and `val` may be
//! spelled `valid` or `validation`. Without a `test` folder, the `val` folder is the test split.
//!
//! Classes are numbered in the order of their names, samples are ordered by class, then by path. Every
//! file's header is checked at opening; pixels are decoded when asked for. With `data.on_bad_image = "skip"` every file
//! is decoded once at opening, and those that cannot be read are left out.
//!
//! Folders inside a class folder belong to it, and links are followed. Names that start with `.`, and
//! the `Thumbs.db` and `desktop.ini` of Windows, are passed over; any other file that is not an image is an error.
//!
//! # Source
//! `torchvision.datasets.ImageFolder`

mod check;
mod listing;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn_dataset::Dataset;
use firebrick_component::{Component, text};
use serde::{Deserialize, Serialize};

use self::check::check_files;
use self::listing::{check_same_classes, class_names, list_split, locate, pick_evenly};
use super::interface::{DatasetSource, OpenRequest, SampleSet, SharedDataset, Source};
use crate::bad_image::OnBadImage;
use crate::error::DataError;
use crate::image::Sample;
use crate::image_file::load_image_file;
use crate::transform::Normalization;

/// An image folder has no arguments besides `data.root`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolderConfig {}

impl Component for ImageFolderConfig {}

/// One split: the paths and labels of its files.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    files: Vec<(PathBuf, u32)>,
    on_bad_image: OnBadImage,
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
        let OpenRequest { root, wanted, limit, on_bad_image, .. } = *request;
        let folders = locate(root)?;
        let class_names = class_names(&folders.train)?;
        check_same_classes(&folders.train, &class_names, &folders.test)?;
        let train = pick_evenly(list_split(&folders.train, &class_names)?, limit.train);
        let test = pick_evenly(list_split(&folders.test, &class_names)?, limit.test);
        let validation = match folders.validation.as_ref().filter(|_| wanted.validation) {
            None => None,
            Some(folder) => {
                check_same_classes(&folders.train, &class_names, folder)?;
                Some(pick_evenly(list_split(folder, &class_names)?, limit.validation))
            }
        };
        let paths =
            train.iter().chain(&test).chain(validation.iter().flatten()).map(|(path, _)| path.as_path());
        let found = check_files(&paths.collect::<Vec<_>>(), request)?;
        let keep = |split: &Path, files| {
            let kept = without(files, &found.bad, split, &class_names)?;
            let shared: SharedDataset = Arc::new(ImageFolder { files: kept, on_bad_image });
            Ok::<_, DataError>(shared)
        };
        let validation = folders.validation.as_ref().zip(validation);
        Ok(Source {
            origin: text::path(root),
            train: Some(keep(&folders.train, train)?),
            validation: validation.map(|(folder, files)| keep(folder, files)).transpose()?,
            test: Some(keep(&folders.test, test)?),
            class_names: class_names.clone(),
            shape: found.shape,
            fingerprint: found.fingerprint,
            skipped: found.skipped,
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

    fn can_skip_images(&self) -> bool {
        true
    }
}

impl Dataset<Sample, DataError> for ImageFolder {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let count = self.files.len();
        let (path, label) = self.files.get(index).ok_or(DataError::Index { index, count })?;
        let image = load_image_file(path).map_err(|error| check::with_hint(error, self.on_bad_image))?;
        Ok(Sample { image, label: *label })
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

/// The files of a split that can be read. A class of which none is left is an error, for nothing could be learned of it.
fn without(
    files: Vec<(PathBuf, u32)>,
    bad: &HashSet<PathBuf>,
    split: &Path,
    class_names: &[String],
) -> Result<Vec<(PathBuf, u32)>, DataError> {
    if bad.is_empty() {
        return Ok(files);
    }
    let labels = |files: &[(PathBuf, u32)]| files.iter().map(|(_, label)| *label).collect::<HashSet<u32>>();
    let before = labels(&files);
    let kept: Vec<_> = files.into_iter().filter(|(path, _)| !bad.contains(path)).collect();
    let after = labels(&kept);
    let lost = before.into_iter().filter(|label| !after.contains(label)).min();
    match lost.and_then(|label| class_names.get(label as usize)) {
        None => Ok(kept),
        Some(name) => Err(DataError::malformed(
            &split.join(name),
            "class folder",
            "at least one image that can be read",
            "none",
            "put images there, or remove the class from every split",
        )),
    }
}
