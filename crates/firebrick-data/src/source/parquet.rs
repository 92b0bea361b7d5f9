//! Parquet files as the Hugging Face hub stores image sets: a column of structs `{ bytes, path }`, each an image file, and a column with
//! the number of its class. The names of the classes are in the files' metadata. A data set is one file or several, whose names or
//! folders say the split: `data/train-00000-of-00002.parquet`.
//!
//! The image files are read into memory when the data set is opened, packed as they are, and decoded when asked for. They may take half
//! of the memory that is free then. Pages are plain or have a dictionary, without compression or with snappy or gzip, which is what the
//! hub and `pyarrow` write by default.
//!
//! The reader is ours: the crate `parquet` takes memory for as much as a header says, so that every header would have to be read
//! before it anyway; and the two columns that are wanted need little more.
//!
//! # Source
//! <https://parquet.apache.org/docs/file-format/>; `datasets.Image` and `datasets.ClassLabel` of the Hugging Face hub

mod damage;
mod features;
mod footer;
mod pages;
mod table;

use std::path::Path;

use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use self::table::{Columns, read_table};
use super::classes::check_names;
use super::interface::{DatasetSource, OpenRequest, Source};
use super::shards;
use super::written::{listed, read_splits};
use crate::error::DataError;
use crate::memory::memory_budget;
use crate::transform::Normalization;

/// Which columns are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParquetConfig {
    /// The column of the images; without it, the one that the metadata call an image, or the only one of structs with `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_column: Option<String>,
    /// The column of the classes; without it, the one that the metadata call so, or `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// Names of the classes in their order; without them those of the metadata, or the labels that occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
}

impl Component for ParquetConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_names(self.class_names.as_ref())
    }
}

impl DatasetSource for ParquetConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let found = shards::find("parquet", request.root, "parquet")?;
        let mut names = self.class_names.clone();
        let columns = Columns { image: self.image_column.as_deref(), label: self.label_column.as_deref() };
        let mut memory_left = memory_budget();
        let splits = read_splits(&found, request, |path, rows| {
            let table = read_table(path, columns, &mut memory_left)?;
            self.agree(&mut names, table.class_names, path)?;
            rows.extend(table.rows);
            Ok(())
        })?;
        listed(request.root, splits, names.as_deref(), "write the file again")?.open(request)
    }

    /// Those of ImageNet, as torchvision's models use them.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]))
    }

    fn can_skip_images(&self) -> bool {
        true
    }
}

impl ParquetConfig {
    /// All files have the same class names, unless the config names them.
    fn agree(
        &self,
        names: &mut Option<Vec<String>>,
        found: Option<Vec<String>>,
        path: &Path,
    ) -> Result<(), DataError> {
        if self.class_names.is_some() {
            return Ok(());
        }
        match (names.as_ref(), found) {
            (None, found) => *names = found,
            (Some(_), None) => {}
            (Some(names), Some(found)) if *names == found => {}
            (Some(names), Some(found)) => {
                let expected = format!("the {} class names of the other files", names.len());
                let hint = "give the data set's files the same classes, or set data.dataset's argument `class_names`";
                let got = format!("{} names, or others", found.len());
                return Err(DataError::malformed(path, "metadata", expected, got, hint));
            }
        }
        Ok(())
    }
}
