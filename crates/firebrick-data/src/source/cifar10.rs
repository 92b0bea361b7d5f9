//! CIFAR-10: 60,000 colour images of 32x32 in 10 classes.
//!
//! # Source
//! Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::cifar;
use super::cifar_variant::{Layout, TORONTO, Variant};
use super::interface::{DatasetSource, OpenRequest, Source};
use crate::download::{Checksum, RemoteFile, RemoteFiles};
use crate::error::DataError;
use crate::transform::Normalization;

/// CIFAR-10 has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cifar10Config {}

impl Component for Cifar10Config {}

impl DatasetSource for Cifar10Config {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        cifar::open(&VARIANT, request)
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.4914, 0.4822, 0.4465], &[0.2470, 0.2435, 0.2616]))
    }

    fn remote_files(&self) -> Option<RemoteFiles> {
        Some(cifar::remote_files(&VARIANT))
    }

    fn wants_download(&self, request: &OpenRequest) -> bool {
        cifar::wants_download(&VARIANT, request.root)
    }
}

static VARIANT: Variant = Variant {
    name: "cifar10",
    class_names: &CLASS_NAMES,
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
    remote_archive: RemoteFile {
        base_url: TORONTO,
        name: "cifar-10-binary.tar.gz",
        checksum: Checksum::Md5("c32a1d4ab5d03f1284b67883e8d87530"),
    },
    label_offset: 0,
    num_labels: 1,
    labels_key: "labels",
    names_key: "label_names",
};

/// The official class names, for copies that lack their file of names.
static CLASS_NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
