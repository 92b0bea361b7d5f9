//! Image files that a list names, with their labels and splits: comma-separated values (`.csv`), tab-separated ones (`.tsv`), or one JSON
//! object a line (`.jsonl`). The first line of a table names its columns.
//!
//! ```csv
//! path,label,split
//! photos/0001.jpg,cat,train
//! photos/0002.jpg,dog,test
//! ```
//!
//! Paths are relative to the list's folder and lead to nothing outside of it. Labels are names or numbers from 0; names are sorted. A
//! split is `train`, `val` (`valid`, `validation`) or `test`; without that column all images are training images, of which
//! `data.validation` takes some to test on. Without test images, the validation images are the test split.
//!
//! # Source
//! The lists of `pandas.DataFrame.to_csv`, and the `metadata.csv` and `metadata.jsonl` of the Hugging Face hub's image folders.

mod rows;

use std::path::Path;

use firebrick_component::{ArgumentError, Component, check, text};
use serde::{Deserialize, Serialize};

use self::rows::{Form, Row, read_rows};
use super::classes::{Classes, MAX_CLASSES, check_names};
use super::image_bytes::ImageBytes;
use super::image_files::{Labelled, Listed};
use super::interface::{DatasetSource, OpenRequest, Source};
use super::member::stays_inside;
use super::shards::split_of;
use crate::error::DataError;
use crate::split::StoredSplit;
use crate::transform::Normalization;

/// Which list, and which of its columns say what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageListConfig {
    /// The list, a file below `data.root` whose name ends in `.csv`, `.tsv` or `.jsonl`.
    pub list: String,
    /// The column of the images' paths.
    #[serde(default = "path_column")]
    pub path_column: String,
    /// The column of the labels.
    #[serde(default = "label_column")]
    pub label_column: String,
    /// The column of the splits, which a list need not have.
    #[serde(default = "split_column")]
    pub split_column: String,
    /// Names of the classes in their order; without them the labels that occur, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
}

fn path_column() -> String {
    "path".to_owned()
}

fn label_column() -> String {
    "label".to_owned()
}

fn split_column() -> String {
    "split".to_owned()
}

impl Component for ImageListConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_names(self.class_names.as_ref())?;
        let expected = "a file below data.root";
        check::that(stays_inside(&self.list), "list", format!("\"{}\"", self.list), expected)?;
        let is_known = self.separator().is_some();
        check::that(
            is_known,
            "list",
            format!("\"{}\"", self.list),
            "a name that ends in .csv, .tsv or .jsonl",
        )
    }
}

impl ImageListConfig {
    fn separator(&self) -> Option<Form> {
        let extension = Path::new(&self.list).extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Some(Form::Separated(b',')),
            "tsv" => Some(Form::Separated(b'\t')),
            "jsonl" => Some(Form::Json),
            _ => None,
        }
    }

    fn listed(&self, path: &Path, rows: Vec<Row>) -> Result<Listed, DataError> {
        let labels = rows.iter().map(|row| row.label.as_str());
        let classes = Classes::of(labels, self.class_names.as_deref());
        let classes = classes.map_err(|got| {
            let line = rows.iter().find(|row| row.label == got).map_or(1, |row| row.line);
            bad(path, &format!("line {line}"), &format!("a class below {MAX_CLASSES}"), got)
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut splits: [Vec<Labelled>; 3] = Default::default();
        for Row { line, path: image, label, split } in rows {
            let place = format!("line {line}");
            if !stays_inside(&image) {
                let expected = "a path below the list's folder, without `..`";
                return Err(bad(path, &place, expected, &image));
            }
            let class =
                classes.class(&label).ok_or_else(|| bad(path, &place, &classes.described(), &label))?;
            let split = match split {
                None => StoredSplit::Train,
                Some(name) => {
                    split_of(&name).ok_or_else(|| bad(path, &place, "a split: train, val or test", &name))?
                }
            };
            splits[split as usize].push((ImageBytes::File(folder.join(&image)), class));
        }
        let [train, test, validation] = splits;
        if train.is_empty() {
            return Err(bad(path, &self.split_column, "images to train on", "none"));
        }
        let some = |files: Vec<Labelled>| (!files.is_empty()).then_some(files);
        let (validation, test) = match (some(validation), some(test)) {
            (validation, None) => (None, validation),
            both => both,
        };
        let class_names = classes.into_names();
        Ok(Listed { origin: text::path(path), class_names, train: Some(train), validation, test })
    }
}

impl DatasetSource for ImageListConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let path = request.root.join(&self.list);
        if !path.is_file() {
            let hint = "data.dataset's argument `list` says which file is read";
            return Err(DataError::missing("image_list", request.root, vec![self.list.clone()], hint));
        }
        let form =
            self.separator().unwrap_or_else(|| unreachable!("bug: a list of no known form was accepted"));
        let rows = read_rows(&path, form, [&self.path_column, &self.label_column, &self.split_column])?;
        if rows.is_empty() {
            return Err(bad(&path, "lines", "at least one image", "none"));
        }
        self.listed(&path, rows)?.open(request)
    }

    /// Those of ImageNet, as torchvision's models use them.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]))
    }

    fn can_skip_images(&self) -> bool {
        true
    }
}

fn bad(path: &Path, place: &str, expected: &str, got: &str) -> DataError {
    DataError::malformed(path, place, expected, format!("`{}`", text::one_line(got)), "mend the list")
}
