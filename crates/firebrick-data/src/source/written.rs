//! Images whose labels are known as they are written, the number of a class or its name, in data sets of several files.

use std::path::Path;

use firebrick_component::text;

use super::classes::{Classes, MAX_CLASSES};
use super::image_bytes::ImageBytes;
use super::image_files::{Labelled, Listed};
use super::interface::{OpenRequest, check_cancelled};
use super::shards::Shards;
use crate::error::DataError;

/// An image, and its label as it is written.
pub(super) struct Written {
    pub(super) image: ImageBytes,
    pub(super) label: String,
}

/// The samples of the training, the validation and the test split; none of a split that nobody wants or that has no files.
pub(super) type Splits = [Option<Vec<Written>>; 3];

/// Reads the files of the wanted splits: `read` adds the samples of one.
///
/// # Errors
///
/// Those of `read`; [`DataError::Cancelled`].
pub(super) fn read_splits(
    shards: &Shards,
    request: &OpenRequest,
    mut read: impl FnMut(&Path, &mut Vec<Written>) -> Result<(), DataError>,
) -> Result<Splits, DataError> {
    let OpenRequest { root, wanted, progress, .. } = *request;
    let stage = format!("reading {}", text::path(root));
    progress.stage(&stage, None);
    let mut splits = [None, None, None];
    let files =
        [(wanted.train, &shards.train), (wanted.validation, &shards.validation), (wanted.test, &shards.test)];
    for (split, (is_wanted, paths)) in splits.iter_mut().zip(files) {
        if !is_wanted || paths.is_empty() {
            continue;
        }
        let samples = split.insert(Vec::new());
        for path in paths {
            check_cancelled(progress, &stage)?;
            read(path, samples)?;
        }
    }
    Ok(splits)
}

/// The same with the classes' numbers. `names` are the classes' names, where they are known; `hint` says how to mend a file.
///
/// # Errors
///
/// [`DataError::Malformed`] for a label that is no class.
pub(super) fn listed(
    root: &Path,
    splits: Splits,
    names: Option<&[String]>,
    hint: &str,
) -> Result<Listed, DataError> {
    let bad = |path: &Path, expected: &str, got: &str| {
        DataError::malformed(path, "label", expected, text::one_line(got), hint)
    };
    let all = || splits.iter().flatten().flatten();
    let classes = Classes::of(all().map(|sample| sample.label.as_str()), names).map_err(|got| {
        let path = all().find(|sample| sample.label == got).map_or(root.into(), |sample| sample.image.path());
        bad(&path, &format!("a class below {MAX_CLASSES}"), got)
    })?;
    let class = |Written { image, label }| match classes.class(&label) {
        Some(class) => Ok((image, class)),
        None => Err(bad(&image.path(), &classes.described(), &label)),
    };
    let labelled =
        |samples: Vec<Written>| samples.into_iter().map(class).collect::<Result<Vec<Labelled>, _>>();
    let [train, validation, test] = splits.map(|samples| samples.map(labelled).transpose());
    Ok(Listed {
        origin: text::path(root),
        train: train?,
        validation: validation?,
        test: test?,
        class_names: classes.into_names(),
    })
}
