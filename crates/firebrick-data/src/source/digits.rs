//! The bundled digits: 1,797 handwritten digits of 8x8 pixels, compiled into the program, so that they
//! work from any folder and without a network.
//!
//! # Source
//! E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
//! Repository, 1998, <https://doi.org/10.24432/C50P49>, CC BY 4.0.

use std::path::Path;
use std::sync::Arc;

use firebrick_component::Component;
use firebrick_storage::{Sha256Hasher, gunzip_slice_bounded};
use serde::{Deserialize, Serialize};

use super::idx::{IdxFile, join};
use super::interface::{DatasetSource, OpenRequest, SharedDataset, Source, owned};
use super::records::Records;
use crate::bad_image::SkippedImages;
use crate::error::DataError;
use crate::shape::InputShape;
use crate::transform::Normalization;

/// The digits have no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitsConfig {}

impl Component for DigitsConfig {}

/// The shape of every digit.
const SHAPE: InputShape = InputShape { channels: 1, height: 8, width: 8 };

/// The images and labels of one split, by name and contents.
type Files = [(&'static str, &'static [u8]); 2];

macro_rules! bundled {
    ($name:literal) => {
        ($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/digits/", $name)).as_slice())
    };
}

static TRAIN_FILES: Files = [bundled!("train-images-idx3-ubyte.gz"), bundled!("train-labels-idx1-ubyte.gz")];
static TEST_FILES: Files = [bundled!("t10k-images-idx3-ubyte.gz"), bundled!("t10k-labels-idx1-ubyte.gz")];

const CLASS_NAMES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

impl DatasetSource for DigitsConfig {
    /// Unpacks the wanted splits. Fails only where the program was built with damaged files.
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let mut hasher = Sha256Hasher::new();
        let wanted = request.wanted;
        let train = if wanted.train { Some(read(TRAIN_FILES, &mut hasher)?) } else { None };
        let test = if wanted.test { Some(read(TEST_FILES, &mut hasher)?) } else { None };
        Ok(Source {
            origin: "the digits bundled with the program".to_owned(),
            class_names: owned(&CLASS_NAMES),
            train,
            validation: None,
            test,
            shape: Some(SHAPE),
            fingerprint: hasher.finish(),
            skipped: SkippedImages::default(),
        })
    }

    /// Computed once over the 1,442 training images.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.3052], &[0.3760]))
    }

    fn reads_files(&self) -> bool {
        false
    }
}

fn read(files: Files, hasher: &mut Sha256Hasher) -> Result<SharedDataset, DataError> {
    const MAX_BYTES: u64 = 1 << 20;
    let mut unpack = |(name, packed): (&str, &[u8])| {
        let path = Path::new("bundled digits").join(name);
        let bytes = gunzip_slice_bounded(&path, packed, MAX_BYTES)?;
        hasher.field(name, &bytes);
        IdxFile::parse(&path, bytes)
    };
    let [images, labels] = files;
    let (images, labels) = (unpack(images)?, unpack(labels)?);
    let records: Records = join(images, labels, CLASS_NAMES.len())?;
    Ok(Arc::new(records))
}
