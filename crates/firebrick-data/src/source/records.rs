//! Images of one size in memory, kept as the files' own bytes: a record is found by arithmetic, and its
//! pixels are copied only when it is asked for.

use std::path::Path;

use burn_dataset::Dataset;

use super::interface::SampleSet;
use crate::duplicates::content_key;
use crate::error::DataError;
use crate::image::{Image, Sample};
use crate::shape::InputShape;

/// A table of images of one shape and their labels.
#[derive(Clone, Debug)]
pub struct Records {
    shape: InputShape,
    parts: Vec<Part>,
    count: usize,
}

/// The records of one file: record `i` has its pixels at `first + i * stride`.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    pub(super) first: usize,
    pub(super) stride: usize,
    pub(super) labels: Vec<u32>,
}

impl Records {
    /// An empty table for images of `shape`.
    pub(super) fn new(shape: InputShape) -> Self {
        Self { shape, parts: Vec::new(), count: 0 }
    }

    /// Adds the records of one file; `path` is for messages.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when a label is not below `num_classes` or pixels would lie outside the file.
    pub(super) fn push(&mut self, path: &Path, part: Part, num_classes: usize) -> Result<(), DataError> {
        check_labels(path, &part.labels, num_classes)?;
        let end = part.labels.len().checked_sub(1).and_then(|last| {
            last.checked_mul(part.stride)?.checked_add(part.first)?.checked_add(self.shape.len())
        });
        if end.is_some_and(|end| end > part.bytes.len()) {
            let expected = format!("pixels of {} images", part.labels.len());
            let got = format!("{} bytes", part.bytes.len());
            return Err(DataError::malformed(path, "end", expected, got, "fetch the file again"));
        }
        self.count += part.labels.len();
        self.parts.push(part);
        Ok(())
    }

    /// The shape of every image.
    pub fn shape(&self) -> InputShape {
        self.shape
    }

    /// The labels of all records, in their order.
    pub fn labels(&self) -> impl Iterator<Item = u32> + '_ {
        self.parts.iter().flat_map(|part| part.labels.iter().copied())
    }
}

/// Labels that are not below `num_classes` would be read as another class, or crash a GPU, much later.
fn check_labels(path: &Path, labels: &[u32], num_classes: usize) -> Result<(), DataError> {
    match labels.iter().position(|label| *label as usize >= num_classes) {
        None => Ok(()),
        Some(record) => Err(DataError::malformed(
            path,
            format!("label of record {record}"),
            format!("0 to {}", num_classes.saturating_sub(1)),
            labels[record],
            "the file is damaged or holds another data set: fetch it again",
        )),
    }
}

impl Records {
    /// The part that holds record `index`, and its number there.
    fn locate(&self, index: usize) -> Result<(&Part, usize), DataError> {
        let mut local = index;
        for part in &self.parts {
            match local.checked_sub(part.labels.len()) {
                None => return Ok((part, local)),
                Some(rest) => local = rest,
            }
        }
        Err(DataError::Index { index, count: self.count })
    }
}

impl Dataset<Sample, DataError> for Records {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let (part, local) = self.locate(index)?;
        let start = part.first + local * part.stride;
        let InputShape { channels, height, width } = self.shape;
        // `push` has made sure that both lie inside.
        let pixels = part.bytes[start..start + self.shape.len()].into();
        Ok(Sample { image: Image { channels, height, width, pixels }, label: part.labels[local] })
    }

    fn len(&self) -> usize {
        self.count
    }
}

impl SampleSet for Records {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        let (part, local) = self.locate(index)?;
        Ok(part.labels[local])
    }

    fn content_key(&self, index: usize) -> Option<u64> {
        let (part, local) = self.locate(index).ok()?;
        let start = part.first + local * part.stride;
        Some(content_key(&[&part.bytes[start..start + self.shape.len()]]))
    }
}
