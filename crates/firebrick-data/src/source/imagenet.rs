//! ImageNet (ILSVRC 2012) in the layout in which Kaggle gives it: `ILSVRC/Data/CLS-LOC/train/<wnid>/*.JPEG`, the validation images in
//! one folder `ILSVRC/Data/CLS-LOC/val/*.JPEG`, and their classes in `LOC_val_solution.csv`. The validation images are the test
//! split. With a folder a class in `val`, as most scripts make it, ImageNet is an `image_folder`.
//!
//! Class names are those of `LOC_synset_mapping.txt` up to the first comma, or the WordNet numbers without that file.
//!
//! # Source
//! Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", 2015

use std::collections::BTreeMap;
use std::path::Path;

use firebrick_component::{Component, text};
use firebrick_storage::read_bounded;
use serde::{Deserialize, Serialize};

use super::image_bytes::ImageBytes;
use super::image_files::{Labelled, Listed};
use super::image_folder::{class_names, list_split};
use super::interface::{DatasetSource, OpenRequest, Source};
use super::member::stays_inside;
use crate::error::DataError;
use crate::transform::Normalization;

const MAX_LIST_BYTES: u64 = 64 << 20;
const IMAGES: &str = "ILSVRC/Data/CLS-LOC";
const SOLUTION: &str = "LOC_val_solution.csv";
const NAMES: &str = "LOC_synset_mapping.txt";

/// ImageNet has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagenetConfig {}

impl Component for ImagenetConfig {}

impl DatasetSource for ImagenetConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let root = request.root;
        if !root.join(SOLUTION).is_file() || !root.join(IMAGES).join("train").is_dir() {
            let looked_for = vec![format!("{IMAGES}/train"), SOLUTION.to_owned()];
            let hint = "unpack Kaggle's archive there; with a folder a class in train and val, use the data set image_folder";
            return Err(DataError::missing("imagenet", root, looked_for, hint));
        }
        let folders = class_names(&root.join(IMAGES).join("train"))?;
        let train = list_split(&root.join(IMAGES).join("train"), &folders)?;
        let listed = Listed {
            origin: text::path(root),
            class_names: names(root, &folders)?,
            train: Some(train.into_iter().map(|(path, label)| (ImageBytes::File(path), label)).collect()),
            validation: None,
            test: Some(validation_images(root, &folders)?),
        };
        listed.open(request)
    }

    /// Those of ImageNet, as torchvision's models use them.
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

/// The names of the classes, for the folders that are there.
fn names(root: &Path, folders: &[String]) -> Result<Vec<String>, DataError> {
    let path = root.join(NAMES);
    if !path.is_file() {
        return Ok(folders.to_vec());
    }
    let bytes = read_bounded(&path, MAX_LIST_BYTES)?;
    let contents = String::from_utf8_lossy(&bytes);
    let names: BTreeMap<&str, &str> = contents.lines().filter_map(|line| line.split_once(' ')).collect();
    let name = |folder: &String| {
        let name = names.get(folder.as_str()).and_then(|names| names.split(',').next()).map(str::trim);
        let missing = || {
            let (place, hint) = (format!("class {}", text::one_line(folder)), "unpack the archive again");
            DataError::malformed(&path, place, "a line with this number and its names", "none", hint)
        };
        name.map(str::to_owned).ok_or_else(missing)
    };
    let found: Vec<String> = folders.iter().map(name).collect::<Result<_, _>>()?;
    // Two classes are called crane, two maillot.
    let is_double = |name: &String| found.iter().filter(|other| *other == name).count() > 1;
    let told = |(name, folder): (&String, &String)| match is_double(name) {
        true => format!("{name} ({folder})"),
        false => name.clone(),
    };
    Ok(found.iter().zip(folders).map(told).collect())
}

/// The validation images, by the names of their files.
fn validation_images(root: &Path, folders: &[String]) -> Result<Vec<Labelled>, DataError> {
    let list = root.join(SOLUTION);
    let bytes = read_bounded(&list, MAX_LIST_BYTES)?;
    let contents = String::from_utf8_lossy(&bytes);
    let mut files: Vec<(String, u32)> = Vec::new();
    for (line, contents) in (1..).zip(contents.lines()).skip(1) {
        let parsed = contents.split_once(',').and_then(|(image, prediction)| {
            let class = prediction.trim_start_matches('"').split([' ', ',', '"']).next()?;
            Some((image, folders.binary_search_by(|folder| folder.as_str().cmp(class)).ok()?))
        });
        match parsed.filter(|(image, _)| stays_inside(image)) {
            Some((image, label)) => files.push((format!("{image}.JPEG"), label as u32)),
            None => {
                let expected = "the name of an image, a comma, and the name of a folder in train";
                let (place, got) = (format!("line {line}"), text::one_line(contents));
                return Err(DataError::malformed(&list, place, expected, got, "unpack the archive again"));
            }
        }
    }
    files.sort();
    let folder = root.join(IMAGES).join("val");
    Ok(files.into_iter().map(|(name, label)| (ImageBytes::File(folder.join(name)), label)).collect())
}
