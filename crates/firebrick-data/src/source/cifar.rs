//! CIFAR-10 and CIFAR-100 in every layout that people have: the binary folder, the folder of Python
//! pickles that torchvision leaves behind, and the archives of both. All give the same samples in
//! the same order: train files by number, records as they lie in them.
//!
//! # Source
//! Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009;
//! <https://www.cs.toronto.edu/~kriz/cifar.html> describes both formats.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_component::text;

use super::cifar_variant::{Layout, SHAPE, Variant};
use super::container::{Container, StoredFile, StoredFiles, fingerprint};
use super::interface::{OpenRequest, SharedDataset, Source, owned};
use super::records::Records;
use super::{cifar_binary, cifar_pickle};
use crate::bad_image::SkippedImages;
use crate::download::RemoteFiles;
use crate::error::DataError;

#[derive(Clone, Copy)]
enum Format {
    Binary,
    Pickle,
}

/// Finds `variant` under `root` (or as `root` itself) and reads the wanted splits.
///
/// # Errors
/// [`DataError::Missing`] when no layout is there, [`DataError::Malformed`] and others for files
/// that are not what the format says.
pub(super) fn open(variant: &'static Variant, request: &OpenRequest) -> Result<Source, DataError> {
    let OpenRequest { root, wanted, progress, .. } = *request;
    let (format, container) = locate(variant, root)?;
    let layout = layout(variant, format);
    let train: &[&str] = if wanted.train { layout.train } else { &[] };
    let test: &[&str] = if wanted.test { layout.test } else { &[] };
    let mut files = container.read(&[train, test].concat(), &[layout.meta], progress)?;
    let fingerprint = fingerprint(&files);
    let class_names = match files.get(layout.meta) {
        Some(meta) => read_names(variant, format, meta)?,
        None => owned(variant.class_names),
    };
    Ok(Source {
        origin: text::path(container.path()),
        class_names,
        train: read_split(variant, format, train, &mut files)?,
        validation: None,
        test: read_split(variant, format, test, &mut files)?,
        shape: Some(SHAPE),
        fingerprint,
        skipped: SkippedImages::default(),
    })
}

/// The archive that a download fetches into `data.root` itself.
pub(super) fn remote_files(variant: &Variant) -> RemoteFiles {
    RemoteFiles { folder: PathBuf::new(), files: vec![variant.remote_archive] }
}

/// Nothing is there, or the archive that a download fetches.
pub(super) fn wants_download(variant: &'static Variant, root: &Path) -> bool {
    match locate(variant, root) {
        Ok((_, Container::Folder(_))) => false,
        Ok((format, Container::Archive(..))) => {
            layout(variant, format).archive == variant.remote_archive.name
        }
        Err(_) => true,
    }
}

fn layout(variant: &'static Variant, format: Format) -> &'static Layout {
    match format {
        Format::Binary => &variant.binary,
        Format::Pickle => &variant.pickle,
    }
}

/// Folders before archives, because they read faster; the binary layout before pickles.
fn locate(variant: &'static Variant, root: &Path) -> Result<(Format, Container), DataError> {
    let formats = [Format::Binary, Format::Pickle];
    for format in formats {
        let layout = layout(variant, format);
        let folder = root.join(layout.folder);
        if folder.is_dir() {
            return Ok((format, Container::Folder(folder)));
        }
        let mut files = layout.train.iter().chain(layout.test);
        if files.any(|name| root.join(name).is_file()) {
            return Ok((format, Container::Folder(root.to_path_buf())));
        }
    }
    for format in formats {
        let layout = layout(variant, format);
        let archive = root.join(layout.archive);
        if archive.is_file() {
            return Ok((format, Container::Archive(archive, layout.folder)));
        }
    }
    let (binary, pickle) = (&variant.binary, &variant.pickle);
    let looked_for =
        [binary.folder, pickle.folder, binary.archive, pickle.archive].map(str::to_owned).to_vec();
    Err(DataError::missing(
        variant.name,
        root,
        looked_for,
        "put one of them there, point data.root at the folder that has one, or set \
         data.download = true",
    ))
}

fn read_names(variant: &Variant, format: Format, meta: &StoredFile) -> Result<Vec<String>, DataError> {
    let names = match format {
        Format::Binary => cifar_binary::class_names(meta)?,
        Format::Pickle => cifar_pickle::class_names(meta, variant.names_key)?,
    };
    if names.len() == variant.num_classes() {
        return Ok(names);
    }
    Err(DataError::malformed(
        &meta.path,
        "class names",
        format!("{} names", variant.num_classes()),
        names.len(),
        "restore the official file or remove it",
    ))
}

fn read_split(
    variant: &Variant,
    format: Format,
    names: &[&str],
    files: &mut StoredFiles,
) -> Result<Option<SharedDataset>, DataError> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut records = Records::new(SHAPE);
    for file in names.iter().filter_map(|name| files.remove(*name)) {
        let path = file.path.clone();
        let part = match format {
            Format::Binary => cifar_binary::part(file, variant.label_offset, variant.num_labels)?,
            Format::Pickle => cifar_pickle::part(file, variant.labels_key)?,
        };
        records.push(&path, part, variant.num_classes())?;
    }
    Ok(Some(Arc::new(records)))
}
