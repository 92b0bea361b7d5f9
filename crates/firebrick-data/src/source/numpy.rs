//! Images and labels in NumPy's arrays: `.npy` files, or one `.npz` as Keras and MedMNIST publish theirs.
//!
//! The arrays of a split are called `x_train` and `y_train`, or `train_images` and `train_labels`; likewise for `test` and `val`.
//! Images are bytes (`uint8`) of `[n, height, width]`, `[n, height, width, channels]` or `[n, channels, height, width]` with 1 or 3
//! channels; labels are whole numbers of `[n]` or `[n, 1]`.
//!
//! # Source
//! `numpy.save`, `numpy.savez`, `keras.datasets`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_component::{ArgumentError, Component, text};
use firebrick_storage::{Sha256Hasher, read_bounded};
use serde::{Deserialize, Serialize};

use super::classes::check_names;
use super::interface::{DatasetSource, OpenRequest, SharedDataset, Source, check_cancelled};
use super::member::{inside, stays_inside};
use super::npy::Array;
use super::records::{Part, Records};
use super::zip_index;
use crate::bad_image::SkippedImages;
use crate::error::DataError;
use crate::shape::InputShape;
use crate::split::StoredSplit;

/// The largest array, in bytes.
const MAX_ARRAY_BYTES: u64 = 8 << 30;
const MAX_SIDE: usize = 16_384;
/// The most classes.
const MAX_CLASSES: u32 = 1_000_000;

/// Where the arrays are and what they mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumpyConfig {
    /// The `.npz` file below `data.root`; without it the arrays are `.npy` files there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Names of the classes, in the order of their numbers; without them the numbers themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
    /// `"nhwc"` or `"nchw"`, for images of which both could be meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
}

/// The order of an array's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Images, height, width, channels.
    Nhwc,
    /// Images, channels, height, width.
    Nchw,
}

impl Component for NumpyConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_names(self.class_names.as_ref())?;
        match &self.file {
            Some(file) if !stays_inside(file) => {
                Err(ArgumentError::new("file", "a file below data.root", format!("\"{file}\"")))
            }
            _ => Ok(()),
        }
    }
}

/// The images and labels of a split, not yet joined.
struct Arrays {
    image_path: PathBuf,
    label_path: PathBuf,
    images: Array,
    labels: Array,
}

impl DatasetSource for NumpyConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let OpenRequest { root, wanted, .. } = *request;
        let files = self.files(root)?;
        let mut hasher = Sha256Hasher::new();
        let mut read = |is_wanted: bool, split: StoredSplit| match is_wanted {
            true => read_split(&files, split, request, &mut hasher),
            false => Ok(None),
        };
        let train = read(wanted.train, StoredSplit::Train)?;
        let test = read(wanted.test, StoredSplit::Test)?;
        let validation = read(wanted.validation, StoredSplit::Validation)?;
        if wanted.train && train.is_none() {
            return Err(missing(root, &files));
        }
        // Without test arrays, the validation arrays are the test split.
        let (validation, test) = match (validation, test) {
            (validation, None) if wanted.test => (None, validation),
            other => other,
        };
        let arrays = [train, test, validation];
        let num_classes = self.num_classes(&arrays)?;
        let mut shapes = Vec::new();
        let mut opened: [Option<SharedDataset>; 3] = [None, None, None];
        for (opened, arrays) in opened.iter_mut().zip(arrays) {
            let Some(arrays) = arrays else { continue };
            let records = self.join(arrays, num_classes)?;
            shapes.push(records.shape());
            *opened = Some(Arc::new(records));
        }
        shapes.dedup();
        let [train, test, validation] = opened;
        let numbers = (0..num_classes).map(|number| number.to_string());
        Ok(Source {
            origin: text::path(&self.file.as_ref().map_or(root.to_path_buf(), |file| root.join(file))),
            class_names: self.class_names.clone().unwrap_or_else(|| numbers.collect()),
            train,
            validation,
            test,
            shape: if shapes.len() == 1 { shapes.pop() } else { None },
            fingerprint: hasher.finish(),
            skipped: SkippedImages::default(),
        })
    }
}

/// Where each array's bytes are, by its name without `.npy`.
type Files = BTreeMap<String, File>;

enum File {
    Plain(PathBuf),
    Member(PathBuf, super::member::Member),
}

impl File {
    fn path(&self) -> PathBuf {
        match self {
            Self::Plain(path) => path.clone(),
            Self::Member(archive, member) => inside(archive, &member.name),
        }
    }

    fn read(&self) -> Result<Vec<u8>, DataError> {
        match self {
            Self::Plain(path) => Ok(read_bounded(path, MAX_ARRAY_BYTES)?),
            Self::Member(archive, member) => member.read(archive, MAX_ARRAY_BYTES),
        }
    }
}

/// The names that a split's images and labels may have.
fn names(split: StoredSplit) -> Vec<[String; 2]> {
    let words: &[&str] = match split {
        StoredSplit::Train => &["train"],
        StoredSplit::Validation => &["val", "valid", "validation"],
        StoredSplit::Test => &["test"],
    };
    let pairs = |word: &&str| {
        let of = |images: &str, labels: &str| [images.replace('*', word), labels.replace('*', word)];
        [of("x_*", "y_*"), of("X_*", "y_*"), of("*_images", "*_labels")]
    };
    words.iter().flat_map(pairs).collect()
}

fn missing(root: &Path, files: &Files) -> DataError {
    let looked_for = names(StoredSplit::Train).into_iter().map(|pair| pair.join(" and ")).collect();
    let found: Vec<&str> = files.keys().take(12).map(String::as_str).collect();
    let hint = match found.as_slice() {
        [] => "put the .npy files there, or name a .npz file: dataset = { name = \"numpy\", file = \"..\" }"
            .to_owned(),
        found => format!("the arrays here are {}; give them these names", found.join(", ")),
    };
    DataError::missing("numpy", root, looked_for, hint)
}

/// The arrays of a split; none where it has none.
fn read_split(
    files: &Files,
    split: StoredSplit,
    request: &OpenRequest,
    hasher: &mut Sha256Hasher,
) -> Result<Option<Arrays>, DataError> {
    let found = names(split)
        .into_iter()
        .find_map(|[images, labels]| Some([(files.get(&images)?, images), (files.get(&labels)?, labels)]));
    let Some([(images, image_name), (labels, label_name)]) = found else { return Ok(None) };
    let stage = format!("reading {}", text::path(&images.path()));
    request.progress.stage(&stage, None);
    check_cancelled(request.progress, &stage)?;
    let mut read = |file: &File, name: &str| {
        let bytes = file.read()?;
        hasher.field(name, &bytes);
        Array::parse(&file.path(), bytes)
    };
    let (image_array, label_array) = (read(images, &image_name)?, read(labels, &label_name)?);
    Ok(Some(Arrays {
        image_path: images.path(),
        label_path: labels.path(),
        images: image_array,
        labels: label_array,
    }))
}

impl NumpyConfig {
    fn files(&self, root: &Path) -> Result<Files, DataError> {
        let stem = |name: &str| name.strip_suffix(".npy").map(str::to_owned);
        if let Some(file) = &self.file {
            let path = root.join(file);
            let members = zip_index::members(&path)?;
            let named = |member: super::member::Member| {
                Some((stem(&member.name)?, File::Member(path.clone(), member)))
            };
            return Ok(members.into_iter().filter_map(named).collect());
        }
        let mut files = Files::new();
        let fail = |error| DataError::io(root, "list the folder", error);
        let entries = if root.is_dir() { Some(std::fs::read_dir(root).map_err(fail)?) } else { None };
        for entry in entries.into_iter().flatten() {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            if let Some(name) = name.and_then(|name| stem(&name)) {
                files.insert(name, File::Plain(path));
            }
        }
        Ok(files)
    }

    fn num_classes(&self, arrays: &[Option<Arrays>]) -> Result<usize, DataError> {
        if let Some(names) = &self.class_names {
            return Ok(names.len());
        }
        let mut highest = 0;
        for Arrays { label_path, labels, .. } in arrays.iter().flatten() {
            highest = highest.max(labels.classes(label_path)?.into_iter().max().unwrap_or(0));
            if highest >= MAX_CLASSES {
                let expected = format!("classes below {MAX_CLASSES}");
                return Err(DataError::malformed(
                    label_path,
                    "numbers",
                    expected,
                    highest,
                    "number them from 0",
                ));
            }
        }
        Ok(highest as usize + 1)
    }

    fn join(&self, arrays: Arrays, num_classes: usize) -> Result<Records, DataError> {
        let Arrays { image_path, label_path, images, labels } = arrays;
        let (shape, layout) = self.shape(&image_path, &images)?;
        let classes = labels.classes(&label_path)?;
        let is_column = matches!(labels.axes.as_slice(), [_] | [_, 1]);
        let num_images = images.axes[0];
        if !is_column || classes.len() != num_images {
            let expected = format!("{num_images} labels, one for each image of {}", text::path(&image_path));
            let got = format!("axes {:?}", labels.axes);
            return Err(DataError::malformed(
                &label_path,
                "axes",
                expected,
                got,
                "save the labels of these images",
            ));
        }
        let mut bytes = images.bytes;
        if layout == Layout::Nhwc && shape.channels > 1 {
            to_planes(&mut bytes[images.first..], shape);
        }
        let mut records = Records::new(shape);
        let part = Part { bytes, first: images.first, stride: shape.len(), labels: classes };
        records.push(&label_path, part, num_classes)?;
        Ok(records)
    }

    fn shape(&self, path: &Path, images: &Array) -> Result<(InputShape, Layout), DataError> {
        let is_channels = |axis: usize| axis == 1 || axis == 3;
        let found = match (images.axes.as_slice(), self.layout) {
            (&[_, height, width], _) => Some(([1, height, width], Layout::Nchw)),
            (&[_, a, b, c], Some(Layout::Nhwc)) if is_channels(c) => Some(([c, a, b], Layout::Nhwc)),
            (&[_, a, b, c], Some(Layout::Nchw)) if is_channels(a) => Some(([a, b, c], Layout::Nchw)),
            (&[_, a, b, c], None) if is_channels(c) && !is_channels(a) => Some(([c, a, b], Layout::Nhwc)),
            (&[_, a, b, c], None) if is_channels(a) && !is_channels(c) => Some(([a, b, c], Layout::Nchw)),
            _ => None,
        };
        let is_good = |sides: &[usize; 3]| sides.iter().all(|side| (1..=MAX_SIDE).contains(side));
        let found = found.filter(|(sides, _)| images.axes[0] > 0 && images.kind == "|u1" && is_good(sides));
        let Some(([channels, height, width], layout)) = found else {
            let expected = "images of uint8, [n, height, width], or with 1 or 3 channels in the second or the last axis \
                            (where both could be: layout = \"nhwc\" or \"nchw\")";
            let got = format!("{} of {:?}", images.kind, images.axes);
            return Err(DataError::malformed(
                path,
                "header",
                expected,
                got,
                "convert the array and save it again",
            ));
        };
        Ok((InputShape { channels, height, width }, layout))
    }
}

/// Pixels one after another become planes, image by image.
fn to_planes(images: &mut [u8], shape: InputShape) {
    let mut planes = Vec::with_capacity(shape.len());
    for image in images.chunks_exact_mut(shape.len()) {
        planes.clear();
        planes.extend(
            (0..shape.channels).flat_map(|channel| image.iter().skip(channel).step_by(shape.channels)),
        );
        image.copy_from_slice(&planes);
    }
}
