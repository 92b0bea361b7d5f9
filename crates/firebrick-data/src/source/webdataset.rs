//! Tar archives as WebDataset writes them: the files of a sample stand one after another and have one name up to the first dot,
//! `000017.jpg` and `000017.cls`. Archives are read where they lie, in any order.
//!
//! A `.cls` file holds the number of a class or its name. `.txt` holds the same, and of `.json` a key is the label. Class names may stand
//! beside the archives in `classnames.txt` or `classes.txt`, one a line; or in the config. The archives' names or folders say the
//! split: `train-0000.tar`, `test/0.tar`.
//!
//! # Source
//! <https://github.com/webdataset/webdataset>, "The WebDataset Format Specification"

use std::path::Path;
use std::sync::Arc;

use firebrick_component::{ArgumentError, Component, check, text};
use firebrick_storage::read_bounded;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::classes::{MAX_NAME_BYTES, check_names};
use super::image_bytes::ImageBytes;
use super::interface::{DatasetSource, OpenRequest, Source};
use super::member::{Member, inside};
use super::shards;
use super::tar_index;
use super::written::{Written, listed, read_splits};
use crate::error::DataError;
use crate::transform::Normalization;

/// What to do with a damaged archive.
const HINT: &str = "write the archive again";
/// The endings of images.
const IMAGES: [&str; 9] = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "ppm", "tif", "tiff"];
/// Files of class names.
const NAME_FILES: [&str; 2] = ["classnames.txt", "classes.txt"];
/// The longest file with a label, in bytes.
const MAX_LABEL_BYTES: u64 = 1 << 20;

/// Where the labels are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebdatasetConfig {
    /// The ending of the files with the labels: `"cls"`, `"txt"` or `"json"`.
    #[serde(default = "cls")]
    pub label: String,
    /// The key of the label in `.json` files.
    #[serde(default = "label_key")]
    pub json_key: String,
    /// Names of the classes in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
}

fn cls() -> String {
    "cls".to_owned()
}

fn label_key() -> String {
    "label".to_owned()
}

impl Default for WebdatasetConfig {
    fn default() -> Self {
        Self { label: cls(), json_key: label_key(), class_names: None }
    }
}

impl Component for WebdatasetConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_names(self.class_names.as_ref())?;
        let is_known = ["cls", "txt", "json"].contains(&self.label.as_str());
        check::that(is_known, "label", format!("\"{}\"", self.label), "\"cls\", \"txt\" or \"json\"")
    }
}

impl DatasetSource for WebdatasetConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let root = request.root;
        let found = shards::find("webdataset", root, "tar")?;
        let splits = read_splits(&found, request, |path, samples| self.read_shard(path, samples))?;
        let names = match &self.class_names {
            Some(names) => Some(names.clone()),
            None => names_beside(root)?,
        };
        listed(root, splits, names.as_deref(), HINT)?.open(request)
    }

    /// Those of ImageNet, as torchvision's models use them.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]))
    }

    fn can_skip_images(&self) -> bool {
        true
    }
}

impl WebdatasetConfig {
    /// Adds the samples of an archive.
    fn read_shard(&self, path: &Path, samples: &mut Vec<Written>) -> Result<(), DataError> {
        let archive: Arc<Path> = Arc::from(path);
        let before = samples.len();
        let members = tar_index::members(path)?;
        for sample in members.chunk_by(|a, b| key_and_ending(&a.name).0 == key_and_ending(&b.name).0) {
            let (key, _) = key_and_ending(&sample[0].name);
            let file_name = key.rsplit('/').next().unwrap_or_default();
            if file_name.is_empty() || file_name == "__pycache__" {
                continue; // hidden files and what describes the archive
            }
            let ending = |member: &&Member, endings: &[&str]| {
                let found = key_and_ending(&member.name).1;
                endings.iter().any(|ending| ending.eq_ignore_ascii_case(found))
            };
            let image = sample.iter().find(|member| ending(member, &IMAGES));
            let label = sample.iter().find(|member| ending(member, &[self.label.as_str()]));
            let (Some(image), Some(label)) = (image, label) else {
                let got: Vec<&str> = sample.iter().map(|member| &*member.name).take(8).collect();
                let expected = format!("an image and a label (*.{}) next to each other", self.label);
                return Err(bad(
                    path,
                    &format!("sample {}", text::one_line(key)),
                    &expected,
                    &got.join(", "),
                ));
            };
            let label = self.label_of(path, label)?;
            samples.push(Written { image: ImageBytes::Member(Arc::clone(&archive), image.clone()), label });
        }
        if samples.len() == before {
            return Err(bad(path, "entries", "at least one sample", "none"));
        }
        Ok(())
    }

    fn label_of(&self, archive: &Path, member: &Member) -> Result<String, DataError> {
        let path = inside(archive, &member.name);
        let bytes = member.read(archive, MAX_LABEL_BYTES)?;
        let label = match self.label.as_str() {
            "json" => self.label_in_json(&path, &bytes)?,
            _ => String::from_utf8_lossy(&bytes).trim().to_owned(),
        };
        if label.is_empty() || label.len() > MAX_NAME_BYTES {
            let got = format!("{} bytes", label.len());
            return Err(bad(&path, "label", "the number or the name of a class", &got));
        }
        Ok(label)
    }

    fn label_in_json(&self, path: &Path, bytes: &[u8]) -> Result<String, DataError> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| bad(path, "contents", "JSON", &error.to_string()))?;
        match value.get(&self.json_key) {
            Some(Value::String(label)) => Ok(label.clone()),
            Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
            other => {
                let expected = format!("text or a whole number as `{}`", self.json_key);
                let got = if other.is_some() { "something else" } else { "no such key" };
                Err(bad(path, "contents", &expected, got))
            }
        }
    }
}

/// A name up to the first dot of its last part, and what follows the last dot.
fn key_and_ending(name: &str) -> (&str, &str) {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[file..].find('.') {
        None => (name, ""),
        Some(dot) => (&name[..file + dot], name.rsplit('.').next().unwrap_or_default()),
    }
}

fn names_beside(root: &Path) -> Result<Option<Vec<String>>, DataError> {
    let Some(path) = NAME_FILES.iter().map(|name| root.join(name)).find(|path| path.is_file()) else {
        return Ok(None);
    };
    let bytes = read_bounded(&path, MAX_LABEL_BYTES)?;
    let names = String::from_utf8_lossy(&bytes);
    let names: Vec<String> =
        names.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    match check_names(Some(&names)) {
        Ok(()) => Ok(Some(names)),
        Err(error) => Err(bad(&path, "lines", &error.expected, &error.got)),
    }
}

fn bad(path: &Path, place: &str, expected: &str, got: &str) -> DataError {
    DataError::malformed(path, place, expected, text::one_line(got), HINT)
}
