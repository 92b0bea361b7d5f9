//! CIFAR-10 and CIFAR-100 in every layout that people have: the binary folder, the folder of Python
//! pickles that torchvision leaves behind, and the archives of both. All give the same samples in
//! the same order: train files by number, records as they lie in them.
//!
//! # Source
//! Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009;
//! <https://www.cs.toronto.edu/~kriz/cifar.html> describes both formats.

use std::path::Path;
use std::sync::Arc;

use super::container::{Container, StoredFile, StoredFiles, fingerprint};
use super::{Records, SharedDataset, Source, Wanted, cifar_binary, cifar_names, cifar_pickle};
use crate::{DataError, InputShape, Progress};

/// The shape of every CIFAR image.
pub const SHAPE: InputShape = InputShape { channels: 3, height: 32, width: 32 };

/// What distinguishes CIFAR-10 from CIFAR-100.
#[derive(Debug)]
pub struct Variant {
    /// The data set's name as the config spells it.
    pub name: &'static str,
    /// Class names, for when the files do not bring their own.
    pub class_names: &'static [&'static str],
    /// The binary layout.
    pub binary: Layout,
    /// The layout of Python pickles.
    pub pickle: Layout,
    /// Where in a binary record the label is; CIFAR-100 has the coarse label before it.
    pub label_offset: usize,
    /// The pickles' key of the labels.
    pub labels_key: &'static str,
    /// The pickles' key of the class names.
    pub names_key: &'static str,
}

/// The names of one layout's files.
#[derive(Debug)]
pub struct Layout {
    /// The folder, also inside the archive.
    pub folder: &'static str,
    /// The archive of that folder.
    pub archive: &'static str,
    /// Training files, in order.
    pub train: &'static [&'static str],
    /// Test files.
    pub test: &'static [&'static str],
    /// The file of class names.
    pub meta: &'static str,
}

/// CIFAR-10.
pub static CIFAR_10: Variant = Variant {
    name: "cifar10",
    class_names: &cifar_names::CIFAR_10,
    binary: Layout {
        folder: "cifar-10-batches-bin",
        archive: "cifar-10-binary.tar.gz",
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: &["test_batch.bin"],
        meta: "batches.meta.txt",
    },
    pickle: Layout {
        folder: "cifar-10-batches-py",
        archive: "cifar-10-python.tar.gz",
        train: &["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"],
        test: &["test_batch"],
        meta: "batches.meta",
    },
    label_offset: 0,
    labels_key: "labels",
    names_key: "label_names",
};

/// CIFAR-100 with its 100 fine labels.
pub static CIFAR_100: Variant = Variant {
    name: "cifar100",
    class_names: &cifar_names::CIFAR_100,
    binary: Layout {
        folder: "cifar-100-binary",
        archive: "cifar-100-binary.tar.gz",
        train: &["train.bin"],
        test: &["test.bin"],
        meta: "fine_label_names.txt",
    },
    pickle: Layout {
        folder: "cifar-100-python",
        archive: "cifar-100-python.tar.gz",
        train: &["train"],
        test: &["test"],
        meta: "meta",
    },
    label_offset: 1,
    labels_key: "fine_labels",
    names_key: "fine_label_names",
};

impl Variant {
    /// The number of classes.
    pub fn num_classes(&self) -> usize {
        self.class_names.len()
    }
}

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
pub fn open(
    variant: &'static Variant,
    root: &Path,
    wanted: Wanted,
    progress: &dyn Progress,
) -> Result<Source, DataError> {
    let (format, container) = locate(variant, root)?;
    let layout = layout(variant, format);
    let train: &[&str] = if wanted.train { layout.train } else { &[] };
    let test: &[&str] = if wanted.test { layout.test } else { &[] };
    let mut files = container.read(&[train, test].concat(), &[layout.meta], progress)?;
    let fingerprint = fingerprint(&files);
    let class_names = match files.get(layout.meta) {
        Some(meta) => read_names(variant, format, meta)?,
        None => variant.class_names.iter().map(|name| (*name).to_owned()).collect(),
    };
    Ok(Source {
        origin: container.path().display().to_string(),
        class_names,
        train: read_split(variant, format, train, &mut files)?,
        test: read_split(variant, format, test, &mut files)?,
        shape: Some(SHAPE),
        fingerprint,
    })
}

/// See [`super::wants_download`]: nothing is there, or an archive that may be the official one.
pub(super) fn wants_download(variant: &'static Variant, root: &Path) -> bool {
    match locate(variant, root) {
        Ok((_, Container::Folder(_))) => false,
        Ok((format, Container::Archive(..))) => match (format, variant.num_classes()) {
            // The archive that a download fetches: the binary one, of CIFAR-100 the Python one.
            (Format::Binary, 10) | (Format::Pickle, 100) => true,
            _ => false,
        },
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
            Format::Binary => cifar_binary::part(file, variant.label_offset)?,
            Format::Pickle => cifar_pickle::part(file, variant.labels_key)?,
        };
        records.push(&path, part, variant.num_classes())?;
    }
    Ok(Some(Arc::new(records)))
}
