//! Decoded images that stay in memory: an image file is decoded in the first epoch, and later epochs find its bytes.
//!
//! What a sample is does not change by it, nor does any batch.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use burn_dataset::Dataset;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::image::{Image, Sample};
use crate::memory::memory_budget;
use crate::source::{SampleSet, SharedDataset};

/// Whether decoded images stay in memory: `data.cache`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// As many as fit into half of the memory that is free when the data set is opened; the others are decoded in every
    /// epoch.
    #[default]
    Memory,
    /// None.
    Off,
}

impl Cache {
    /// True for what a config need not say.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How many bytes are left for images, shared by all splits of a data set.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    /// Half of the memory that is free now.
    pub(crate) fn of_memory() -> Self {
        Self::of(memory_budget())
    }

    /// This many bytes.
    pub(crate) fn of(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    fn take(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// A split whose images stay in memory once they were decoded, as long as there is room.
pub(crate) struct Cached {
    samples: SharedDataset,
    images: Vec<OnceLock<Image>>,
    budget: Budget,
}

impl Cached {
    /// `samples` itself where its images are not decoded from files.
    pub(crate) fn over(samples: SharedDataset, budget: Option<&Budget>) -> SharedDataset {
        match budget.filter(|_| samples.decodes()) {
            None => samples,
            Some(budget) => {
                let images = std::iter::repeat_with(OnceLock::new).take(samples.len()).collect();
                Arc::new(Self { samples, images, budget: budget.clone() })
            }
        }
    }
}

impl Dataset<Sample, DataError> for Cached {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let Some(slot) = self.images.get(index) else { return self.samples.get(index) };
        if let Some(image) = slot.get() {
            return Ok(Sample { image: image.clone(), label: self.samples.label(index)? });
        }
        let sample = self.samples.get(index)?;
        if self.budget.take(sample.image.pixels.len() as u64) {
            // Another worker may have decoded the same image meanwhile; one of the two stays.
            let _ = slot.set(sample.image.clone());
        }
        Ok(sample)
    }

    fn len(&self) -> usize {
        self.samples.len()
    }
}

impl SampleSet for Cached {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        self.samples.label(index)
    }

    fn content_key(&self, index: usize) -> Option<u64> {
        self.samples.content_key(index)
    }

    fn name(&self, index: usize) -> Option<String> {
        self.samples.name(index)
    }

    fn read_only(&self, index: usize) -> Result<Option<u64>, DataError> {
        self.samples.read_only(index)
    }

    fn decodes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use burn_dataset::Dataset;

    use super::{Budget, Cached};
    use crate::error::DataError;
    use crate::image::{Image, Sample};
    use crate::source::SampleSet;

    struct Counted(AtomicUsize);

    impl Dataset<Sample, DataError> for Counted {
        fn get(&self, index: usize) -> Result<Sample, DataError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let pixels = vec![index as u8; 10].into();
            Ok(Sample { image: Image { channels: 1, height: 2, width: 5, pixels }, label: index as u32 })
        }

        fn len(&self) -> usize {
            5
        }
    }

    impl SampleSet for Counted {
        fn label(&self, index: usize) -> Result<u32, DataError> {
            Ok(index as u32)
        }

        fn decodes(&self) -> bool {
            true
        }
    }

    #[test]
    fn as_many_as_fit_are_decoded_once() {
        let counted = Arc::new(Counted(AtomicUsize::new(0)));
        let cached = Cached::over(counted.clone(), Some(&Budget::of(35)));
        for round in 0..4 {
            for index in 0..5 {
                let sample = cached.get(index).expect("an image");
                assert_eq!((sample.label, sample.image.pixels[0]), (index as u32, index as u8));
            }
            // Three stay; two are decoded anew in each round.
            assert_eq!(counted.0.load(Ordering::Relaxed), 5 + 2 * round);
        }
        let plain = Cached::over(counted.clone(), None);
        plain.get(0).expect("an image");
        assert_eq!(counted.0.load(Ordering::Relaxed), 12);
    }
}
