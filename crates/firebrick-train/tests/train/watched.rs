//! The bundled digits, with a record of which images are read and with a test split that may be poisoned.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use firebrick_component::Component;
use firebrick_data::source::{DigitsConfig, OpenRequest, SampleSet, SharedDataset, Source};
use firebrick_data::{DataError, Dataset, DatasetConfig, DatasetSource, Normalization, Sample};
use serde::{Deserialize, Serialize};

/// What is wrong with the test split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Poison {
    /// Nothing.
    None,
    /// Each image has the label of the next one.
    Labels,
    /// The pixels are noise.
    Noise,
    /// Reading an image is an error until [`unlock`].
    Lock,
}

/// What has been read under one name.
#[derive(Debug, Default)]
struct Watch {
    is_unlocked: bool,
    train: Vec<usize>,
    test: Vec<usize>,
}

static WATCHES: Mutex<BTreeMap<String, Watch>> = Mutex::new(BTreeMap::new());

fn watches() -> MutexGuard<'static, BTreeMap<String, Watch>> {
    WATCHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets test images be read from now on.
pub fn unlock(name: &str) {
    watches().entry(name.to_owned()).or_default().is_unlocked = true;
}

/// The stored training and test images that were read since the last call, in rising order.
pub fn reads(name: &str) -> [Vec<usize>; 2] {
    let mut watches = watches();
    let watch = watches.entry(name.to_owned()).or_default();
    let mut reads = [std::mem::take(&mut watch.train), std::mem::take(&mut watch.test)];
    reads.iter_mut().for_each(|indices| indices.sort_unstable());
    reads
}

/// `dataset = { name = "watched_digits", watch = "..", poison = ".." }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchedDigits {
    watch: String,
    poison: Poison,
}

impl WatchedDigits {
    pub fn register() {
        DatasetConfig::register::<Self>("watched_digits").unwrap();
    }

    fn split(&self, samples: SharedDataset, is_test: bool) -> SharedDataset {
        std::sync::Arc::new(WatchedSplit { samples, is_test, config: self.clone() })
    }
}

impl Component for WatchedDigits {}

impl DatasetSource for WatchedDigits {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let source = DigitsConfig::default().open(request)?;
        let train = source.train.map(|split| self.split(split, false));
        let test = source.test.map(|split| self.split(split, true));
        Ok(Source { train, test, ..source })
    }

    fn normalization(&self) -> Option<Normalization> {
        DigitsConfig::default().normalization()
    }
}

struct WatchedSplit {
    samples: SharedDataset,
    is_test: bool,
    config: WatchedDigits,
}

impl Dataset<Sample, DataError> for WatchedSplit {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let mut sample = self.samples.get(index)?;
        let mut watches = watches();
        let watch = watches.entry(self.config.watch.clone()).or_default();
        if !self.is_test {
            watch.train.push(index);
            return Ok(sample);
        }
        watch.test.push(index);
        match self.config.poison {
            Poison::None => {}
            Poison::Labels => sample.label = self.label(index)?,
            Poison::Noise => {
                let pixels = 0..sample.image.pixels.len();
                sample.image.pixels = pixels.map(|pixel| noise(index * 64 + pixel)).collect();
            }
            Poison::Lock if watch.is_unlocked => {}
            Poison::Lock => {
                let (path, place) = (Path::new("the test split"), format!("image {index}"));
                return Err(DataError::malformed(path, place, "the end of training", "a read", "wait"));
            }
        }
        Ok(sample)
    }

    fn len(&self) -> usize {
        self.samples.len()
    }
}

impl SampleSet for WatchedSplit {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        let is_shifted = self.is_test && self.config.poison == Poison::Labels;
        self.samples.label(if is_shifted { (index + 1) % self.samples.len() } else { index })
    }
}

/// The first byte of a multiplicative hash.
fn noise(number: usize) -> u8 {
    ((number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}
