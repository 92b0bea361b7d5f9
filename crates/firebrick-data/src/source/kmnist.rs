//! Kuzushiji-MNIST: 70,000 handwritten Japanese letters of 28x28, grey.
//!
//! # Source
//! Clanuwat et al., "Deep Learning for Classical Japanese Literature", 2018; `torchvision.datasets.KMNIST`.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::idx::{self, MNIST_FILES, Variant};
use super::interface::{DatasetSource, OpenRequest, Source};
use crate::download::RemoteFiles;
use crate::error::DataError;
use crate::transform::Normalization;

/// Kuzushiji-MNIST has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmnistConfig {}

impl Component for KmnistConfig {}

impl DatasetSource for KmnistConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        idx::open(&VARIANT, request)
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.1918], &[0.3483]))
    }

    fn remote_files(&self) -> Option<RemoteFiles> {
        Some(idx::remote_files(&VARIANT))
    }

    fn wants_download(&self, request: &OpenRequest) -> bool {
        idx::wants_download(&VARIANT, request)
    }
}

/// `KMNIST/raw` is where torchvision puts it.
static VARIANT: Variant = Variant {
    name: "kmnist",
    folders: &["KMNIST/raw", "kmnist", ""],
    class_names: &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    base_url: "https://codh.rois.ac.jp/kmnist/dataset/kmnist",
    files: MNIST_FILES,
    md5: [
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ],
};
