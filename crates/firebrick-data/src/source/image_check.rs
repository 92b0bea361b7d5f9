//! The check of all image files when a data set of such files is opened.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use firebrick_component::text;
use firebrick_storage::{Sha256Hasher, StorageError};

use super::image_bytes::ImageBytes;
use super::interface::{OpenRequest, check_cancelled};
use crate::bad_image::{OnBadImage, SkippedImages};
use crate::duplicates::content_key;
use crate::error::DataError;
use crate::image_file::{MAX_IMAGE_FILE_BYTES, probe};
use crate::shape::InputShape;

/// As much of each file is read at opening; nearly every header is shorter.
const HEADER_BYTES: usize = 1 << 16;
/// Files that are checked between two looks at whether to go on; their starts are in memory at once.
const CHUNK: usize = 256;

/// What the check finds.
pub(super) struct Found {
    /// The shape of every image, or `None` when they differ.
    pub(super) shape: Option<InputShape>,
    /// SHA-256 over names, sizes and starts of the files that can be read.
    pub(super) fingerprint: String,
    /// For each file a number of its length and start, which two different files hardly share; 0 for one that cannot be read.
    pub(super) keys: Vec<u64>,
    /// The places of the files that cannot be read.
    pub(super) bad: HashSet<usize>,
    /// The same for people.
    pub(super) skipped: SkippedImages,
}

/// Checks the header of every file; with `on_bad_image = "skip"` decodes each once, on all cores.
///
/// # Errors
///
/// [`DataError`] of the first file that cannot be read, in the order of `files`, unless it is skipped;
/// [`DataError::Cancelled`].
pub(super) fn check_files(files: &[&ImageBytes], request: &OpenRequest) -> Result<Found, DataError> {
    let OpenRequest { root, progress, on_bad_image, .. } = *request;
    let stage = format!("checking the images of {}", text::path(root));
    progress.stage(&stage, Some(files.len() as u64));
    let num_threads = match on_bad_image {
        // Waiting for one disk: threads gain nothing.
        OnBadImage::Stop => 1,
        OnBadImage::Skip => thread::available_parallelism().map_or(1, usize::from),
    };
    let mut summary = Summary::new(root, on_bad_image);
    for (number, chunk) in files.chunks(CHUNK).enumerate() {
        check_cancelled(progress, &stage)?;
        let checked = in_parallel(chunk, num_threads, |file| {
            let checked = Checked::of(file, on_bad_image);
            progress.advance(1);
            checked
        });
        for (place, (file, checked)) in chunk.iter().zip(checked).enumerate() {
            summary.add(number * CHUNK + place, file, checked)?;
        }
    }
    Ok(summary.finish())
}

/// What `work` gives for each file, in their order. With one thread it ends at the first error, and so do the results.
fn in_parallel(
    files: &[&ImageBytes],
    num_threads: usize,
    work: impl Fn(&ImageBytes) -> Result<Checked, DataError> + Sync,
) -> Vec<Result<Checked, DataError>> {
    if num_threads == 1 {
        let mut results = Vec::with_capacity(files.len());
        for file in files {
            results.push(work(file));
            if results.last().is_some_and(Result::is_err) {
                break;
            }
        }
        return results;
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(files.len()));
    thread::scope(|scope| {
        for _ in 0..num_threads.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { break };
                    let result = work(file);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A file that can be read, as far as it was looked at.
struct Checked {
    shape: InputShape,
    length: u64,
    start: Vec<u8>,
}

impl Checked {
    fn of(file: &ImageBytes, on_bad_image: OnBadImage) -> Result<Self, DataError> {
        let (start, length) = file.start(HEADER_BYTES)?;
        if length > MAX_IMAGE_FILE_BYTES {
            let (path, max_bytes) = (file.path().into_owned(), MAX_IMAGE_FILE_BYTES);
            return Err(StorageError::TooLong { path, max_bytes, got: format!("{length} bytes") }.into());
        }
        let shape = match on_bad_image {
            OnBadImage::Skip => file.decode()?.shape(),
            OnBadImage::Stop => match probe(&file.path(), &start) {
                // A header may lie anywhere in a TIFF file, or behind a long colour profile.
                Err(_) if length > start.len() as u64 => probe(&file.path(), &file.read()?)?,
                other => other?,
            },
        };
        Ok(Self { shape, length, start })
    }
}

/// What all files come to.
struct Summary<'a> {
    root: &'a Path,
    on_bad_image: OnBadImage,
    shapes: BTreeSet<(usize, usize, usize)>,
    hasher: Sha256Hasher,
    keys: Vec<u64>,
    bad: HashSet<usize>,
    skipped: SkippedImages,
}

impl<'a> Summary<'a> {
    fn new(root: &'a Path, on_bad_image: OnBadImage) -> Self {
        let (shapes, keys, bad, skipped) = Default::default();
        Self { root, on_bad_image, shapes, hasher: Sha256Hasher::new(), keys, bad, skipped }
    }

    fn add(
        &mut self,
        place: usize,
        file: &ImageBytes,
        checked: Result<Checked, DataError>,
    ) -> Result<(), DataError> {
        let name = file.name_below(self.root);
        match checked {
            Ok(Checked { shape, length, start }) => {
                self.shapes.insert((shape.channels, shape.height, shape.width));
                self.hasher.field(&name, &length.to_le_bytes());
                self.hasher.update(&start);
                self.keys.push(content_key(&[&length.to_le_bytes(), &start]));
                Ok(())
            }
            Err(error) => match problem_of(&error).filter(|_| self.on_bad_image == OnBadImage::Skip) {
                None => Err(with_hint(error, self.on_bad_image)),
                Some(problem) => {
                    self.keys.push(0);
                    self.bad.insert(place);
                    self.skipped.push(format!("{}: {problem}", text::one_line(&name)));
                    Ok(())
                }
            },
        }
    }

    fn finish(mut self) -> Found {
        let shape = if self.shapes.len() == 1 { self.shapes.pop_first() } else { None };
        Found {
            shape: shape.map(|(channels, height, width)| InputShape { channels, height, width }),
            fingerprint: self.hasher.finish(),
            keys: self.keys,
            bad: self.bad,
            skipped: self.skipped,
        }
    }
}

/// What is wrong with the contents of a file; `None` for a disk that does not answer, which says nothing of them.
fn problem_of(error: &DataError) -> Option<String> {
    match error {
        DataError::Malformed { expected, got, .. } => Some(format!("expected {expected}, got {got}")),
        DataError::Storage(StorageError::TooLong { max_bytes, got, .. }) => {
            Some(format!("expected at most {max_bytes} bytes, got {got}"))
        }
        _ => None,
    }
}

/// Adds what a config can do about a file that cannot be read.
pub(super) fn with_hint(error: DataError, on_bad_image: OnBadImage) -> DataError {
    match error {
        DataError::Malformed { path, place, expected, got, hint } => {
            let hint = match on_bad_image {
                OnBadImage::Stop => format!("{hint}, or leave out such files: data.on_bad_image = \"skip\""),
                OnBadImage::Skip => format!("{hint}; it could be read when the data set was opened"),
            };
            DataError::Malformed { path, place, expected, got, hint }
        }
        other => other,
    }
}
