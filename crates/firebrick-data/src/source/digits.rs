//! The bundled digits: 1,797 handwritten digits of 8x8 pixels, compiled into the program, so that they
//! work from any folder and without a network.
//!
//! # Source
//! E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
//! Repository, 1998, <https://doi.org/10.24432/C50P49>, CC BY 4.0.

use std::path::Path;
use std::sync::Arc;

use firebrick_storage::{Sha256Hasher, gunzip_slice_bounded};

use super::idx::{IdxFile, MNIST, join};
use super::{Records, SharedDataset, Source, Wanted};
use crate::{DataError, InputShape};

/// The shape of every digit.
pub const SHAPE: InputShape = InputShape { channels: 1, height: 8, width: 8 };

/// The images and labels of one split, by name and contents.
type Files = [(&'static str, &'static [u8]); 2];

macro_rules! bundled {
    ($name:literal) => {
        ($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits/", $name)).as_slice())
    };
}

static TRAIN_FILES: Files = [bundled!("train-images-idx3-ubyte.gz"), bundled!("train-labels-idx1-ubyte.gz")];
static TEST_FILES: Files = [bundled!("t10k-images-idx3-ubyte.gz"), bundled!("t10k-labels-idx1-ubyte.gz")];

/// Unpacks the wanted splits.
///
/// # Errors
/// [`DataError::Malformed`] or [`DataError::Storage`] when the program was built with damaged files.
pub fn open(wanted: Wanted) -> Result<Source, DataError> {
    let mut hasher = Sha256Hasher::new();
    let train = if wanted.train { Some(read(TRAIN_FILES, &mut hasher)?) } else { None };
    let test = if wanted.test { Some(read(TEST_FILES, &mut hasher)?) } else { None };
    Ok(Source {
        origin: "the digits bundled with the program".to_owned(),
        class_names: MNIST.class_names.iter().map(|name| (*name).to_owned()).collect(),
        train,
        test,
        shape: Some(SHAPE),
        fingerprint: hasher.finish(),
    })
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
    let records: Records = join(images, labels, MNIST.class_names.len())?;
    Ok(Arc::new(records))
}
