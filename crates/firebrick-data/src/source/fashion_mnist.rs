//! Fashion-MNIST: 70,000 grey pictures of clothes, 28x28.
//!
//! # Source
//! Xiao, Rasul, Vollgraf, "Fashion-MNIST", 2017.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::idx::{self, MNIST_FILES, Variant};
use super::interface::{DatasetSource, OpenRequest, Source};
use crate::download::RemoteFiles;
use crate::error::DataError;
use crate::transform::Normalization;

/// Fashion-MNIST has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FashionMnistConfig {}

impl Component for FashionMnistConfig {}

impl DatasetSource for FashionMnistConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        idx::open(&VARIANT, request)
    }

    /// Those of all training pixels.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.2860], &[0.3530]))
    }

    fn remote_files(&self) -> Option<RemoteFiles> {
        Some(idx::remote_files(&VARIANT))
    }

    fn wants_download(&self, request: &OpenRequest) -> bool {
        idx::wants_download(&VARIANT, request)
    }
}

/// `FashionMNIST/raw` is where torchvision puts it. Its official place speaks no TLS; the sums guard the contents.
static VARIANT: Variant = Variant {
    name: "fashion_mnist",
    folders: &["FashionMNIST/raw", "fashion_mnist", "fashion-mnist", ""],
    class_names: &[
        "t-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ],
    base_url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    files: MNIST_FILES,
    md5: [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ],
};
