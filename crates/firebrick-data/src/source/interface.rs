//! What a data set is.

use std::path::Path;
use std::sync::Arc;

use burn_dataset::Dataset;
use firebrick_component::Component;

use crate::bad_image::{OnBadImage, SkippedImages};
use crate::download::RemoteFiles;
use crate::error::DataError;
use crate::image::Sample;
use crate::progress::Progress;
use crate::shape::InputShape;
use crate::split::{Limit, StoredSplit};
use crate::transform::Normalization;

/// A data set: how it is found and read, and what is known of it.
///
/// Its arguments are the fields of the type that implements this; they stand in the config as
/// `dataset = { name = "..", .. }`, or in a table of the data set's own name, `[data.synthetic]`. A name must
/// therefore be none of `[data]`'s own keys.
pub trait DatasetSource: Component {
    /// Finds the files under `request.root` and reads the wanted splits. Counts, sizes and labels are
    /// checked here, so that nothing later meets a bad one.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] lists what was looked for; [`DataError::Malformed`] says what is wrong
    /// with a file and where; also [`DataError::Io`], [`DataError::Storage`], [`DataError::Cancelled`].
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError>;

    /// Mean and standard deviation for `data.normalize = "dataset"`; `None`: pixels / 255 alone.
    fn normalization(&self) -> Option<Normalization> {
        None
    }

    /// The files that `data.download = true` fetches; `None` where there is no official place.
    fn remote_files(&self) -> Option<RemoteFiles> {
        None
    }

    /// False for a data set that has no files of its own below `data.root`.
    fn reads_files(&self) -> bool {
        true
    }

    /// True when a download should see to the files: something that is wanted is not there, or it lies where a
    /// download puts it, so that its checksum can be compared. What lies in another layout is the
    /// user's own, and needs no network.
    fn wants_download(&self, request: &OpenRequest) -> bool {
        let _ = request;
        self.remote_files().is_some()
    }

    /// True when samples are stored class by class. A part of such a split, as in `train[:100]`, would
    /// leave classes out and is refused.
    fn is_ordered_by_class(&self) -> bool {
        false
    }

    /// True when [`OpenRequest::on_bad_image`] is heeded: when samples are files, of which single ones can be left out.
    fn can_skip_images(&self) -> bool {
        false
    }
}

/// What is asked of a data set when it is opened.
pub struct OpenRequest<'a> {
    /// `data.root`: the folder in which its files are found.
    pub root: &'a Path,
    /// The stored splits that will be used.
    pub wanted: Wanted,
    /// The most samples of each stored split. A data set that is ordered by class spreads them over all
    /// classes; the others may leave it to the caller, who takes the first ones.
    pub limit: Limit,
    /// The run's seed, for data that is made up.
    pub seed: u64,
    /// What happens to image files that cannot be read; [`OnBadImage::Stop`] unless the data set
    /// [can skip them](DatasetSource::can_skip_images).
    pub on_bad_image: OnBadImage,
    /// Hears about what takes time.
    pub progress: &'a dyn Progress,
}

/// The stored splits that a config uses; the others are neither looked for nor read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The stored train split.
    pub train: bool,
    /// The stored validation split, if the data set has one.
    pub validation: bool,
    /// The stored test split.
    pub test: bool,
}

impl Wanted {
    /// Every split.
    pub const ALL: Self = Self { train: true, validation: true, test: true };
}

/// The samples of a split.
pub trait SampleSet: Dataset<Sample, DataError> {
    /// The label of sample `index`, below [`Dataset::len`]. Worth writing where it costs less than to decode
    /// the image.
    ///
    /// # Errors
    ///
    /// When the sample cannot be read.
    fn label(&self, index: usize) -> Result<u32, DataError> {
        Ok(self.get(index)?.label)
    }

    /// A number that is the same for two samples with the same contents, and for no others: images that are in two splits are
    /// found by it. None where that would take as long as to read the sample, or past the end.
    fn content_key(&self, index: usize) -> Option<u64> {
        let _ = index;
        None
    }

    /// Reads the sample's bytes and does nothing with them, and says how many they are: for who wants to know how long reading
    /// takes. None where they are in memory.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn read_only(&self, index: usize) -> Result<Option<u64>, DataError> {
        let _ = index;
        Ok(None)
    }

    /// True when an image is decoded each time it is asked for, so that it is worth keeping. Two calls for one sample
    /// must give the same then.
    fn decodes(&self) -> bool {
        false
    }

    /// What people call the sample: its file.
    fn name(&self, index: usize) -> Option<String> {
        let _ = index;
        None
    }
}

/// A split whose kind does not matter any more.
pub type SharedDataset = Arc<dyn SampleSet>;

/// A data set as it is stored: checked, not yet limited or transformed.
#[derive(Clone)]
pub struct Source {
    /// Where it was found and in which layout, in words.
    pub origin: String,
    /// Class names; label `k` is `class_names[k]`.
    pub class_names: Vec<String>,
    /// The stored train split, when it was asked for.
    pub train: Option<SharedDataset>,
    /// The stored validation split, when it was asked for and there is one.
    pub validation: Option<SharedDataset>,
    /// The stored test split, when it was asked for.
    pub test: Option<SharedDataset>,
    /// The shape of every image, or `None` when they differ.
    pub shape: Option<InputShape>,
    /// SHA-256 (hex) over names, sizes and contents of what was read.
    pub fingerprint: String,
    /// Images that were left out because they cannot be read; the default where there are none.
    pub skipped: SkippedImages,
}

impl Source {
    /// The stored split `split`, when it was asked for and there is one.
    pub fn split(&self, split: StoredSplit) -> Option<&SharedDataset> {
        match split {
            StoredSplit::Train => self.train.as_ref(),
            StoredSplit::Validation => self.validation.as_ref(),
            StoredSplit::Test => self.test.as_ref(),
        }
    }
}

/// [`DataError::Cancelled`] when the caller wants to stop.
pub(super) fn check_cancelled(progress: &dyn Progress, stage: &str) -> Result<(), DataError> {
    if progress.is_cancelled() {
        return Err(DataError::Cancelled { stage: stage.to_owned() });
    }
    Ok(())
}

/// Owned class names.
pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
