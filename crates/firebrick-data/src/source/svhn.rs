//! SVHN, cropped: 99,289 colour images of 32x32 of house numbers' digits, in MATLAB files.
//!
//! # Source
//! Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011; `torchvision.datasets.SVHN`, which
//! gives the digit 0 the label 0 as well, where the files have 10.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_component::{Component, text};
use firebrick_storage::Sha256Hasher;
use serde::{Deserialize, Serialize};

use super::interface::{DatasetSource, OpenRequest, SharedDataset, Source, check_cancelled, owned};
use super::mat::{self, Matrix};
use super::records::{Part, Records};
use crate::bad_image::SkippedImages;
use crate::download::{Checksum, RemoteFile, RemoteFiles};
use crate::error::DataError;
use crate::shape::InputShape;
use crate::transform::Normalization;

/// SVHN has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvhnConfig {}

impl Component for SvhnConfig {}

const SIDE: usize = 32;
const SHAPE: InputShape = InputShape { channels: 3, height: SIDE, width: SIDE };
const TRAIN_FILE: &str = "train_32x32.mat";
const TEST_FILE: &str = "test_32x32.mat";
const BASE_URL: &str = "http://ufldl.stanford.edu/housenumbers";
const CLASS_NAMES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

impl DatasetSource for SvhnConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let OpenRequest { root, wanted, progress, .. } = *request;
        let mut hasher = Sha256Hasher::new();
        let mut read = |name: &str| -> Result<SharedDataset, DataError> {
            let path = locate(root, name)?;
            let stage = format!("reading {}", text::path(&path));
            progress.stage(&stage, None);
            check_cancelled(progress, &stage)?;
            let (labels, pixels) = images_and_labels(&path, mat::read(&path)?)?;
            hasher.field(name, &pixels);
            hasher.update(&labels);
            let labels = labels.iter().map(|label| u32::from(label % 10)).collect();
            let mut records = Records::new(SHAPE);
            let part = Part { bytes: pixels, first: 0, stride: SHAPE.len(), labels };
            records.push(&path, part, CLASS_NAMES.len())?;
            Ok(Arc::new(records))
        };
        Ok(Source {
            origin: text::path(root),
            class_names: owned(&CLASS_NAMES),
            train: if wanted.train { Some(read(TRAIN_FILE)?) } else { None },
            validation: None,
            test: if wanted.test { Some(read(TEST_FILE)?) } else { None },
            shape: Some(SHAPE),
            fingerprint: hasher.finish(),
            skipped: SkippedImages::default(),
        })
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.4377, 0.4438, 0.4728], &[0.198, 0.201, 0.197]))
    }

    fn remote_files(&self) -> Option<RemoteFiles> {
        let file = |name, md5| RemoteFile { base_url: BASE_URL, name, checksum: Checksum::Md5(md5) };
        let files = vec![
            file(TRAIN_FILE, "e26dedcc434d2e4c54c9b2d4a06d8373"),
            file(TEST_FILE, "eb5a983be6a315427106f1b164d9cef3"),
        ];
        Some(RemoteFiles { folder: PathBuf::new(), files })
    }
}

fn locate(root: &Path, name: &str) -> Result<PathBuf, DataError> {
    let places = ["", "svhn", "SVHN"].map(|folder| root.join(folder).join(name));
    places.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        let looked_for = vec![format!("{name} (in the folder itself, svhn or SVHN)")];
        DataError::missing("svhn", root, looked_for, "put the files there or set data.download = true")
    })
}

/// The labels as stored, and the pixels channel by channel, row by row.
fn images_and_labels(path: &Path, matrices: Vec<Matrix>) -> Result<(Vec<u8>, Vec<u8>), DataError> {
    let hint = "fetch the file again";
    let got: Vec<String> =
        matrices.iter().map(|m| format!("{} {:?}", text::one_line(&m.name), m.axes)).collect();
    let (mut images, mut labels) = (None, None);
    for matrix in matrices {
        match (matrix.name.as_str(), matrix.axes.as_slice()) {
            ("X", [SIDE, SIDE, 3, count]) if *count > 0 => images = Some(matrix.values),
            ("y", [_, 1]) => labels = Some(matrix.values),
            _ => {}
        }
    }
    let fits = |(images, labels): &(Vec<u8>, Vec<u8>)| images.len() == labels.len() * SHAPE.len();
    let Some((mut pixels, labels)) = images.zip(labels).filter(fits) else {
        let expected = "X of [32, 32, 3, n] and y of [n, 1]";
        return Err(DataError::malformed(path, "matrices", expected, got.join(", "), hint));
    };
    if let Some(record) = labels.iter().position(|label| !(1..=10).contains(label)) {
        let place = format!("label of record {record}");
        return Err(DataError::malformed(path, place, "1 to 10", labels[record], hint));
    }
    pixels.chunks_exact_mut(SIDE * SIDE).for_each(|plane| transpose(plane, SIDE));
    Ok((labels, pixels))
}

/// Rows become columns.
pub(super) fn transpose(plane: &mut [u8], side: usize) {
    for row in 0..side {
        for column in row + 1..side {
            plane.swap(row * side + column, column * side + row);
        }
    }
}
