//! An image folder inside a `.zip`, read where it lies: nothing is unpacked to the disk.
//!
//! It has the layouts of an image folder, `train/<class>/*` and `test/<class>/*` (and `val`), or `<class>/*`, and perhaps one folder
//! around everything. Samples come in the order of that image folder, and give the same numbers.
//!
//! # Source
//! `torchvision.datasets.ImageFolder`, for the order

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use firebrick_component::{ArgumentError, Component, check, text};
use serde::{Deserialize, Serialize};

use super::image_bytes::ImageBytes;
use super::image_files::{Labelled, Listed};
use super::interface::{DatasetSource, OpenRequest, Source};
use super::member::{Member, stays_inside};
use super::zip_index;
use crate::error::DataError;
use crate::transform::Normalization;

/// Which archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageZipConfig {
    /// The `.zip` below `data.root`.
    pub file: String,
}

impl Component for ImageZipConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let got = format!("\"{}\"", self.file);
        check::that(stays_inside(&self.file), "file", got, "a .zip file below data.root")
    }
}

impl DatasetSource for ImageZipConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let path = request.root.join(&self.file);
        if !path.is_file() {
            let hint = "data.dataset's argument `file` says which archive is read";
            return Err(DataError::missing("image_zip", request.root, vec![self.file.clone()], hint));
        }
        let members = zip_index::members(&path)?;
        listed(&path, members)?.open(request)
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

/// A member, and the folders and the name that its path is made of, without the folders around the data set.
struct Placed {
    parts: Vec<String>,
    member: Member,
}

/// The names of the splits' folders, in the order in which their samples are checked.
const SPLITS: [&[&str]; 3] = [&["train"], &["test"], &["val", "valid", "validation"]];

fn listed(path: &Path, members: Vec<Member>) -> Result<Listed, DataError> {
    let placed = members.into_iter().map(|member| {
        let parts = member.name.split('/').filter(|part| !part.is_empty() && *part != ".");
        Placed { parts: parts.map(str::to_owned).collect(), member }
    });
    let mut placed: Vec<Placed> = placed.filter(|placed| !is_of_the_system(&placed.parts)).collect();
    while let Some(folder) = folder_around(&placed) {
        if split_number(&folder).is_some() {
            break;
        }
        placed.iter_mut().for_each(|placed| drop(placed.parts.remove(0)));
    }
    let has_splits =
        placed.iter().any(|placed| placed.parts.len() > 1 && split_number(&placed.parts[0]) == Some(0));
    let mut splits: [Vec<Placed>; 3] = Default::default();
    for mut member in placed {
        let number = if has_splits { split_number(&member.parts[0]) } else { Some(0) };
        if has_splits && number.is_some() {
            member.parts.remove(0);
        }
        let Some(number) = number else { continue };
        if member.parts.len() < 2 {
            let (expected, hint) = ("one folder a class, and nothing else", "pack the archive without it");
            return Err(DataError::malformed(
                path,
                &*member.member.name,
                expected,
                "a file beside them",
                hint,
            ));
        }
        splits[number].push(member);
    }
    let names =
        |split: &[Placed]| split.iter().map(|member| member.parts[0].clone()).collect::<BTreeSet<_>>();
    let class_names: Vec<String> = names(&splits[0]).into_iter().collect();
    if class_names.len() < 2 {
        let expected = "train/<class>/* and test/<class>/*, or <class>/*, with two classes or more";
        let got = format!("{} classes", class_names.len());
        return Err(DataError::malformed(path, "folders", expected, got, "pack the archive again"));
    }
    let archive: Arc<Path> = Arc::from(path);
    let [train, test, validation] = splits.map(|split| (!split.is_empty()).then_some(split));
    for split in [&test, &validation].into_iter().flatten() {
        let found = names(split);
        if !found.iter().eq(&class_names) {
            let expected = format!("the {} classes of the training images in every split", class_names.len());
            let got = format!("{} classes, or others", found.len());
            return Err(DataError::malformed(path, "folders", expected, got, "pack the archive again"));
        }
    }
    // Without test images, the validation images are the test split.
    let (validation, test) = if test.is_none() { (None, validation) } else { (validation, test) };
    let labelled = |split: Vec<Placed>| sorted(split, &class_names, &archive);
    Ok(Listed {
        origin: text::path(path),
        train: train.map(labelled),
        validation: validation.map(labelled),
        test: test.map(labelled),
        class_names: class_names.clone(),
    })
}

/// By class, then by folder, then by name, as an image folder is.
fn sorted(mut split: Vec<Placed>, class_names: &[String], archive: &Arc<Path>) -> Vec<Labelled> {
    split.sort_by(|a, b| {
        let key = |placed: &Placed| {
            let (name, folders) =
                placed.parts.split_last().map_or((None, &[][..]), |(name, rest)| (Some(name.clone()), rest));
            (folders.to_vec(), name)
        };
        key(a).cmp(&key(b))
    });
    let labelled = |placed: Placed| {
        let class = class_names.binary_search(&placed.parts[0]);
        let class = class.unwrap_or_else(|_| unreachable!("bug: a class that was not collected"));
        (ImageBytes::Member(Arc::clone(archive), placed.member), class as u32)
    };
    split.into_iter().map(labelled).collect()
}

fn split_number(folder: &str) -> Option<usize> {
    SPLITS.iter().position(|names| names.iter().any(|name| name.eq_ignore_ascii_case(folder)))
}

/// The one folder in which everything lies.
fn folder_around(placed: &[Placed]) -> Option<String> {
    let first = placed.first().filter(|first| first.parts.len() > 1)?.parts[0].clone();
    placed.iter().all(|other| other.parts.len() > 1 && other.parts[0] == first).then_some(first)
}

/// What systems leave behind by themselves.
fn is_of_the_system(parts: &[String]) -> bool {
    let is_left_behind = |name: &String| {
        name.starts_with('.') || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&name.as_str())
    };
    parts.is_empty() || parts.iter().any(is_left_behind)
}
