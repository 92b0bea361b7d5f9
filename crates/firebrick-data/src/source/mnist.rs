//! MNIST: 70,000 handwritten digits of 28x28, grey.
//!
//! # Source
//! LeCun, Cortes, Burges, "The MNIST database of handwritten digits".

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::idx::{self, MNIST_FILES, Variant};
use super::interface::{DatasetSource, OpenRequest, Source};
use crate::download::RemoteFiles;
use crate::error::DataError;
use crate::transform::Normalization;

/// MNIST has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MnistConfig {}

impl Component for MnistConfig {}

impl DatasetSource for MnistConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        idx::open(&VARIANT, request)
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.1307], &[0.3081]))
    }

    fn remote_files(&self) -> Option<RemoteFiles> {
        Some(idx::remote_files(&VARIANT))
    }

    fn wants_download(&self, request: &OpenRequest) -> bool {
        idx::wants_download(&VARIANT, request)
    }
}

/// `MNIST/raw` is where torchvision puts it; the address is that of the copy that torchvision fetches.
static VARIANT: Variant = Variant {
    name: "mnist",
    folders: &["MNIST/raw", "mnist", ""],
    class_names: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    base_url: "https://ossci-datasets.s3.amazonaws.com/mnist",
    files: MNIST_FILES,
    md5: [
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ],
};
