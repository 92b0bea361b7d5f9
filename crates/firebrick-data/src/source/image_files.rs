//! Splits that are made of image files, wherever those lie: the check at opening, what is left out, and the samples.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use burn_dataset::Dataset;

use super::image_bytes::ImageBytes;
use super::image_check::{check_files, with_hint};
use super::interface::{OpenRequest, SampleSet, SharedDataset, Source};
use crate::bad_image::OnBadImage;
use crate::error::DataError;
use crate::image::Sample;

/// An image file and its class.
pub(super) type Labelled = (ImageBytes, u32);

/// Image files in the order of the samples.
#[derive(Debug)]
struct ImageFiles {
    files: Vec<Labelled>,
    /// What [`SampleSet::content_key`] gives for each.
    keys: Vec<u64>,
    on_bad_image: OnBadImage,
}

/// The files of a data set, as they were listed.
pub(super) struct Listed {
    /// Where they lie, in words.
    pub(super) origin: String,
    /// Class names; label `k` is `class_names[k]`.
    pub(super) class_names: Vec<String>,
    pub(super) train: Option<Vec<Labelled>>,
    pub(super) validation: Option<Vec<Labelled>>,
    pub(super) test: Option<Vec<Labelled>>,
}

impl Listed {
    /// Takes the wanted splits, at most as many files of each as the limit says, spread evenly over it, checks the header
    /// of each and leaves out those that cannot be read, if the config says so.
    ///
    /// # Errors
    ///
    /// [`DataError`] of the first file that cannot be read; [`DataError::Malformed`] for a class of which none is left;
    /// [`DataError::Cancelled`].
    pub(super) fn open(self, request: &OpenRequest) -> Result<Source, DataError> {
        let OpenRequest { wanted, limit, on_bad_image, .. } = *request;
        let splits = [
            (wanted.train, self.train, limit.train),
            (wanted.test, self.test, limit.test),
            (wanted.validation, self.validation, limit.validation),
        ];
        let splits = splits.map(|(is_wanted, files, limit)| {
            files.filter(|_| is_wanted).map(|files| pick_evenly(files, limit))
        });
        let all: Vec<&ImageBytes> = splits.iter().flatten().flatten().map(|(file, _)| file).collect();
        let found = check_files(&all, request)?;
        let mut first = 0;
        let mut opened: [Option<SharedDataset>; 3] = [None, None, None];
        for (opened, files) in opened.iter_mut().zip(splits) {
            let Some(files) = files else { continue };
            let count = files.len();
            let is_bad = |place: usize| found.bad.contains(&(first + place));
            let kept = without(files, is_bad, &self.class_names)?;
            let keys =
                (0..count).filter(|place| !is_bad(*place)).map(|place| found.keys[first + place]).collect();
            first += count;
            *opened = Some(Arc::new(ImageFiles { files: kept, keys, on_bad_image }));
        }
        let [train, test, validation] = opened;
        Ok(Source {
            origin: self.origin,
            class_names: self.class_names,
            train,
            validation,
            test,
            shape: found.shape,
            fingerprint: found.fingerprint,
            skipped: found.skipped,
        })
    }
}

impl Dataset<Sample, DataError> for ImageFiles {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let count = self.files.len();
        let (file, label) = self.files.get(index).ok_or(DataError::Index { index, count })?;
        let image = file.decode().map_err(|error| with_hint(error, self.on_bad_image))?;
        Ok(Sample { image, label: *label })
    }

    fn len(&self) -> usize {
        self.files.len()
    }
}

impl SampleSet for ImageFiles {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        let count = self.files.len();
        self.files.get(index).map(|(_, label)| *label).ok_or(DataError::Index { index, count })
    }

    /// Of the file's length and its start.
    fn content_key(&self, index: usize) -> Option<u64> {
        self.keys.get(index).copied()
    }

    fn read_only(&self, index: usize) -> Result<Option<u64>, DataError> {
        let count = self.files.len();
        let (file, _) = self.files.get(index).ok_or(DataError::Index { index, count })?;
        Ok(Some(file.read()?.len() as u64))
    }

    fn decodes(&self) -> bool {
        true
    }

    fn name(&self, index: usize) -> Option<String> {
        self.files.get(index).map(|(file, _)| file.path().display().to_string())
    }
}

/// At most `limit` files, spread evenly over all of them.
fn pick_evenly(files: Vec<Labelled>, limit: Option<usize>) -> Vec<Labelled> {
    let total = files.len();
    match limit {
        Some(count) if count < total => {
            (0..count).map(|index| files[index * total / count].clone()).collect()
        }
        _ => files,
    }
}

/// The files of a split that can be read. A class of which none is left is an error, for nothing could be learned of it.
fn without(
    files: Vec<Labelled>,
    is_bad: impl Fn(usize) -> bool,
    class_names: &[String],
) -> Result<Vec<Labelled>, DataError> {
    let labels = |files: &mut dyn Iterator<Item = (usize, &Labelled)>| {
        files.map(|(_, (_, label))| *label).collect::<BTreeSet<u32>>()
    };
    let before = labels(&mut files.iter().enumerate());
    let after = labels(&mut files.iter().enumerate().filter(|(place, _)| !is_bad(*place)));
    let Some(lost) = before.difference(&after).next() else {
        let kept = files.into_iter().enumerate().filter(|(place, _)| !is_bad(*place));
        return Ok(kept.map(|(_, file)| file).collect());
    };
    let example = files.iter().find(|(_, label)| label == lost).map(|(file, _)| file.path());
    let path = example.as_ref().and_then(|path| path.parent()).unwrap_or(Path::new(""));
    let name = class_names.get(*lost as usize).map_or("", String::as_str);
    Err(DataError::malformed(
        path,
        format!("class {name}"),
        "at least one image that can be read",
        "none",
        "put images there, or remove the class from every split",
    ))
}
