//! Where samples come from. A source is a `burn_dataset::Dataset<Sample, DataError>`; it checks
//! every count, size and label when it is opened, so that nothing later meets a bad one.
//!
//! [`find`] looks for a data set's layouts under `data.root`; each layout has its own file:
//! [`cifar`] (with `cifar_binary` and `cifar_pickle`), [`idx`], [`digits`], [`image_folder`],
//! [`synthetic`]. `container` reads named files out of a folder or an archive alike, and [`records`]
//! is the table in memory that all fixed-size formats end up in.

pub mod cifar;
mod cifar_binary;
mod cifar_names;
mod cifar_pickle;
mod container;
pub mod digits;
pub mod idx;
pub mod image_folder;
pub mod records;
pub mod synthetic;

use std::sync::Arc;

use burn_dataset::Dataset;

use crate::config::StoredSplit;
use crate::{DataConfig, DataError, DatasetName, InputShape, Progress, Sample};

pub use records::Records;
pub use synthetic::SyntheticConfig;

/// A source whose kind does not matter any more.
pub type SharedDataset = Arc<dyn Dataset<Sample, DataError>>;

/// A data set as it is stored: checked, not yet limited or transformed.
#[derive(Clone)]
pub struct Source {
    /// Where it was found and in which layout, in words.
    pub origin: String,
    /// Class names; label `k` is `class_names[k]`.
    pub class_names: Vec<String>,
    /// The stored train split, when it was asked for.
    pub train: Option<SharedDataset>,
    /// The stored test split, when it was asked for.
    pub test: Option<SharedDataset>,
    /// The shape of every image, or `None` when they differ.
    pub shape: Option<InputShape>,
    /// SHA-256 (hex) over names, sizes and contents of what was read.
    pub fingerprint: String,
}

impl Source {
    /// The stored split `split`, when it was asked for.
    pub fn split(&self, split: StoredSplit) -> Option<&SharedDataset> {
        match split {
            StoredSplit::Train => self.train.as_ref(),
            StoredSplit::Test => self.test.as_ref(),
        }
    }
}

/// The stored splits that a config uses; the others are neither looked for nor read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The stored train split.
    pub train: bool,
    /// The stored test split.
    pub test: bool,
}

impl Wanted {
    /// Both splits.
    pub const BOTH: Self = Self { train: true, test: true };

    fn of(config: &DataConfig) -> Self {
        let uses = |split| config.train_split.stored == split || config.test_split.stored == split;
        Self { train: uses(StoredSplit::Train), test: uses(StoredSplit::Test) }
    }
}

/// Finds and opens the data set of `config` as it is stored. `seed` matters to the synthetic one alone.
///
/// # Errors
/// [`DataError::Missing`] lists what was looked for; [`DataError::Malformed`] says what is wrong
/// with a file and where; also [`DataError::Io`], [`DataError::Storage`], [`DataError::Cancelled`].
pub fn find(config: &DataConfig, seed: u64, progress: &dyn Progress) -> Result<Source, DataError> {
    let (root, wanted) = (config.root.as_path(), Wanted::of(config));
    match config.dataset {
        DatasetName::Cifar10 => cifar::open(&cifar::CIFAR_10, root, wanted, progress),
        DatasetName::Cifar100 => cifar::open(&cifar::CIFAR_100, root, wanted, progress),
        DatasetName::Mnist => idx::open(&idx::MNIST, root, wanted, progress),
        DatasetName::FashionMnist => idx::open(&idx::FASHION_MNIST, root, wanted, progress),
        DatasetName::Digits => digits::open(wanted),
        DatasetName::ImageFolder => image_folder::open(root, config.limit.unwrap_or_default(), progress),
        DatasetName::Synthetic => synthetic::open(&config.synthetic.clone().unwrap_or_default(), seed),
    }
}

/// True when [`crate::download::ensure`] should see to the files of `config`: something that is wanted
/// is not there, or it lies where a download puts it, so that its checksum can be compared. What
/// lies in another layout is the user's own, and needs no network.
pub fn wants_download(config: &DataConfig) -> bool {
    let (root, wanted) = (config.root.as_path(), Wanted::of(config));
    match config.dataset {
        DatasetName::Cifar10 => cifar::wants_download(&cifar::CIFAR_10, root),
        DatasetName::Cifar100 => cifar::wants_download(&cifar::CIFAR_100, root),
        DatasetName::Mnist => idx::wants_download(&idx::MNIST, root, wanted),
        DatasetName::FashionMnist => idx::wants_download(&idx::FASHION_MNIST, root, wanted),
        DatasetName::Digits | DatasetName::ImageFolder | DatasetName::Synthetic => false,
    }
}

/// [`DataError::Cancelled`] when the caller wants to stop.
fn check_cancelled(progress: &dyn Progress, stage: &str) -> Result<(), DataError> {
    if progress.is_cancelled() {
        return Err(DataError::Cancelled { stage: stage.to_owned() });
    }
    Ok(())
}
