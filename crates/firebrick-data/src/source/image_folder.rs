//! A folder of image files: `train/<class>/*`, `test/<class>/*` and perhaps `val/<class>/*`, as
//! torchvision's `ImageFolder` reads it. The names of these folders may be in any case, and `val` may be
//! spelled `valid` or `validation`. Without a `test` folder, the `val` folder is the test split.
//!
//! A folder of class folders alone, `photos/<class>/*`, and a `train` folder alone have no test split: `data.validation`
//! takes a part of their images for it.
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

mod listing;
mod survey;

use std::path::Path;

use firebrick_component::{Component, text};
use serde::{Deserialize, Serialize};

use self::listing::{check_same_classes, locate};
pub(super) use self::listing::{class_names, list_split};
pub use self::survey::{FolderSurvey, ImageSizes, SplitSurvey, is_archive, is_image, survey};
use super::image_bytes::ImageBytes;
use super::image_files::{Labelled, Listed};
use super::interface::{DatasetSource, OpenRequest, Source, Wanted};
use crate::error::DataError;
use crate::transform::Normalization;

/// An image folder has no arguments besides `data.root`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolderConfig {}

impl Component for ImageFolderConfig {}

impl DatasetSource for ImageFolderConfig {
    /// Lists the splits under `root` and checks the header of every file that is used. Where a limit is
    /// below a split's size, that many files spread evenly over it are used, because its order is by class.
    ///
    /// [`DataError::Missing`] without folders of splits or of classes; [`DataError::Malformed`] for a class
    /// folder without images, classes that differ between the splits, a file that is not an image, or
    /// links that lead in a circle; each names the file.
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let OpenRequest { root, .. } = *request;
        let folders = locate(root)?;
        let class_names = class_names(&folders.train)?;
        let files = |folder: &Path| -> Result<Vec<Labelled>, DataError> {
            if *folder != folders.train {
                check_same_classes(&folders.train, &class_names, folder)?;
            }
            let files = list_split(folder, &class_names)?.into_iter();
            Ok(files.map(|(path, label)| (ImageBytes::File(path), label)).collect())
        };
        let validation = folders.validation.as_deref().filter(|_| request.wanted.validation);
        let listed = Listed {
            origin: text::path(root),
            train: Some(files(&folders.train)?),
            validation: validation.map(files).transpose()?,
            test: folders.test.as_deref().map(files).transpose()?,
            class_names: class_names.clone(),
        };
        // Both of them always: the fingerprint is of all that lies there.
        let wanted = Wanted { train: true, test: true, ..request.wanted };
        listed.open(&OpenRequest { wanted, ..*request })
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
