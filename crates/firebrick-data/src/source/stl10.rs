//! STL-10: 13,000 labelled colour images of 96x96, in binary files.
//!
//! # Source
//! Coates, Ng, Lee, "An Analysis of Single Layer Networks in Unsupervised Feature Learning", 2011; the format is described at
//! <https://cs.stanford.edu/~acoates/stl10/>. `torchvision.datasets.STL10`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_component::{Component, text};
use firebrick_storage::{Sha256Hasher, read_bounded};
use serde::{Deserialize, Serialize};

use super::interface::{DatasetSource, OpenRequest, SharedDataset, Source, check_cancelled, owned};
use super::records::{Part, Records};
use super::svhn::transpose;
use crate::bad_image::SkippedImages;
use crate::error::DataError;
use crate::shape::InputShape;
use crate::transform::Normalization;

/// STL-10 has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stl10Config {}

impl Component for Stl10Config {}

const SIDE: usize = 96;
const SHAPE: InputShape = InputShape { channels: 3, height: SIDE, width: SIDE };
/// The test images have 221 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;
const CLASS_NAMES: [&str; 10] =
    ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];

impl DatasetSource for Stl10Config {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let OpenRequest { root, wanted, progress, .. } = *request;
        let mut hasher = Sha256Hasher::new();
        let mut read = |split: &str| -> Result<SharedDataset, DataError> {
            let [images, labels] = ["X", "y"].map(|part| format!("{split}_{part}.bin"));
            let folder = locate(root, &images)?;
            let (image_path, label_path) = (folder.join(&images), folder.join(&labels));
            let stage = format!("reading {}", text::path(&image_path));
            progress.stage(&stage, None);
            check_cancelled(progress, &stage)?;
            let mut pixels = read_bounded(&image_path, MAX_FILE_BYTES)?;
            let labels_n = read_bounded(&label_path, MAX_FILE_BYTES)?;
            hasher.field(&images, &pixels);
            hasher.field(&labels, &labels_n);
            check(&image_path, &pixels, &label_path, &labels_n)?;
            // Stored column by column.
            pixels.chunks_exact_mut(SIDE * SIDE).for_each(|plane| transpose(plane, SIDE));
            let labels = labels_n.iter().map(|label| u32::from(*label) - 1).collect();
            let mut records = Records::new(SHAPE);
            let part = Part { bytes: pixels, first: 0, stride: SHAPE.len(), labels };
            records.push(&label_path, part, CLASS_NAMES.len())?;
            Ok(Arc::new(records))
        };
        Ok(Source {
            origin: text::path(root),
            class_names: owned(&CLASS_NAMES),
            train: if wanted.train { Some(read("train")?) } else { None },
            validation: None,
            test: if wanted.test { Some(read("test")?) } else { None },
            shape: Some(SHAPE),
            fingerprint: hasher.finish(),
            skipped: SkippedImages::default(),
        })
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.4467, 0.4398, 0.4066], &[0.2603, 0.2566, 0.2713]))
    }
}

fn locate(root: &Path, name: &str) -> Result<PathBuf, DataError> {
    let places = [root.join("stl10_binary"), root.to_path_buf()];
    places.into_iter().find(|folder| folder.join(name).is_file()).ok_or_else(|| {
        let looked_for = vec![format!("{name} (in stl10_binary or the folder itself)")];
        DataError::missing("stl10", root, looked_for, "unpack stl10_binary.tar.gz there")
    })
}

fn check(image_path: &Path, pixels: &[u8], label_path: &Path, labels: &[u8]) -> Result<(), DataError> {
    let hint = "fetch both files again";
    if labels.is_empty() || pixels.len() != labels.len() * SHAPE.len() {
        let expected =
            format!("{} images of {SHAPE}, one for each byte of {}", labels.len(), text::path(label_path));
        let got = format!("{} bytes", pixels.len());
        return Err(DataError::malformed(image_path, "length", expected, got, hint));
    }
    match labels.iter().position(|label| !(1..=10).contains(label)) {
        None => Ok(()),
        Some(record) => {
            let place = format!("byte {record}");
            Err(DataError::malformed(label_path, place, "a label from 1 to 10", labels[record], hint))
        }
    }
}
