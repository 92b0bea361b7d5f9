//! Tiny ImageNet: 110,000 labelled colour images of 64x64 of 200 classes, as `tiny-imagenet-200.zip` unpacks.
//!
//! Training images lie in `train/<wnid>/images/*`; those of `val/images/*` have their classes in `val/val_annotations.txt`. They are the
//! test split, for nobody has the labels of `test`. Class names are the WordNet numbers, as the folders are called.
//!
//! # Source
//! Stanford's course CS231n, <http://cs231n.stanford.edu/tiny-imagenet-200.zip>

use std::path::{Path, PathBuf};

use firebrick_component::{Component, text};
use firebrick_storage::read_bounded;
use serde::{Deserialize, Serialize};

use super::image_bytes::ImageBytes;
use super::image_files::{Labelled, Listed};
use super::image_folder::{class_names, list_split};
use super::interface::{DatasetSource, OpenRequest, Source};
use super::member::stays_inside;
use crate::error::DataError;
use crate::transform::Normalization;

const MAX_LIST_BYTES: u64 = 64 << 20;
const ANNOTATIONS: &str = "val_annotations.txt";

/// Tiny ImageNet has no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyImagenetConfig {}

impl Component for TinyImagenetConfig {}

impl DatasetSource for TinyImagenetConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let folder = locate(request.root)?;
        let class_names = class_names(&folder.join("train"))?;
        let train = list_split(&folder.join("train"), &class_names)?;
        let is_image = |path: &Path| path.extension().is_none_or(|ending| ending != "txt");
        let train = train.into_iter().filter(|(path, _)| is_image(path));
        let listed = Listed {
            origin: text::path(&folder),
            train: Some(train.map(|(path, label)| (ImageBytes::File(path), label)).collect()),
            validation: None,
            test: Some(annotated(&folder.join("val"), &class_names)?),
            class_names,
        };
        listed.open(request)
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.4802, 0.4481, 0.3975], &[0.2770, 0.2691, 0.2821]))
    }

    fn is_ordered_by_class(&self) -> bool {
        true
    }

    fn can_skip_images(&self) -> bool {
        true
    }
}

fn locate(root: &Path) -> Result<PathBuf, DataError> {
    let places = [root.join("tiny-imagenet-200"), root.to_path_buf()];
    places.into_iter().find(|folder| folder.join("val").join(ANNOTATIONS).is_file()).ok_or_else(|| {
        let looked_for = vec![format!("val/{ANNOTATIONS} (in tiny-imagenet-200 or the folder itself)")];
        let hint = "unpack tiny-imagenet-200.zip there; once its val folder has a folder a class, it is an image_folder";
        DataError::missing("tiny_imagenet", root, looked_for, hint)
    })
}

/// The images of `val`, in the order of its list.
fn annotated(folder: &Path, class_names: &[String]) -> Result<Vec<Labelled>, DataError> {
    let list = folder.join(ANNOTATIONS);
    let bytes = read_bounded(&list, MAX_LIST_BYTES)?;
    let contents = String::from_utf8_lossy(&bytes);
    let mut files = Vec::new();
    for (line, contents) in (1..).zip(contents.lines()) {
        let mut values = contents.split('\t');
        let (name, class) = (values.next().unwrap_or_default(), values.next().unwrap_or_default());
        let label = class_names.binary_search_by(|known| known.as_str().cmp(class));
        match label {
            Ok(label) if stays_inside(name) => {
                files.push((ImageBytes::File(folder.join("images").join(name)), label as u32));
            }
            _ => {
                let expected = "the name of a file in val/images, a tab, and the name of a folder in train";
                let (place, got) = (format!("line {line}"), text::one_line(contents));
                return Err(DataError::malformed(&list, place, expected, got, "unpack the archive again"));
            }
        }
    }
    Ok(files)
}
