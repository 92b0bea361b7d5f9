//! What the batches of one epoch are, and the making of one of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::batch::{HostBatch, HostPixels};
use crate::error::DataError;
use crate::prepared::PreparedDataset;
use crate::transform::WorkingImage;

/// Everything that says what the batches of one epoch are.
pub(super) struct EpochPlan {
    pub(super) dataset: Arc<PreparedDataset>,
    /// The samples in their order, each with how often it came before in the epoch.
    pub(super) draws: Vec<[usize; 2]>,
    pub(super) epoch: u64,
    pub(super) batch_size: usize,
    pub(super) num_batches: usize,
    pub(super) keeps_bytes: bool,
}

impl EpochPlan {
    /// The samples of batch `number`, each with how often it came before in the epoch.
    fn samples(&self, number: usize) -> &[[usize; 2]] {
        let start = number.saturating_mul(self.batch_size).min(self.draws.len());
        let end = start.saturating_add(self.batch_size).min(self.draws.len());
        &self.draws[start..end]
    }

    /// Makes batch `number`, or `None` when `stopped` says between two samples that nobody waits
    /// for it any more.
    pub(super) fn prepare(
        &self,
        number: usize,
        working: &mut WorkingImage,
        stopped: impl Fn() -> bool,
    ) -> Option<Result<HostBatch, DataError>> {
        let samples = self.samples(number);
        let mut pixels = match self.room_for(samples.len()) {
            Ok(pixels) => pixels,
            Err(error) => return Some(Err(error)),
        };
        let mut labels = Vec::with_capacity(samples.len());
        for &sample in samples {
            if stopped() {
                return None;
            }
            match self.append(sample, working, &mut pixels) {
                Ok(label) => labels.push(i64::from(label)),
                Err(error) => return Some(Err(error)),
            }
        }
        let indices = samples.iter().map(|[index, _]| *index).collect();
        Some(self.finish(number, pixels, labels, indices))
    }

    /// A buffer for the pixels of a batch; that there is memory for its numbers is tried here, too.
    fn room_for(&self, num_images: usize) -> Result<Vec<u8>, DataError> {
        let num_values = num_images.saturating_mul(self.dataset.preprocess().input.len());
        let mut pixels = Vec::new();
        let is_too_large = pixels.try_reserve_exact(num_values).is_err()
            || Vec::<f32>::new().try_reserve_exact(num_values).is_err();
        if is_too_large { Err(too_large(num_images, num_values)) } else { Ok(pixels) }
    }

    /// From the samples' pixels to the batch: batch transforms, then numbers, unless bytes are wanted. A
    /// panic of a batch transform becomes an error.
    fn finish(
        &self,
        number: usize,
        pixels: Vec<u8>,
        labels: Vec<i64>,
        samples: Vec<usize>,
    ) -> Result<HostBatch, DataError> {
        let attempt = || self.dataset.batch(self.epoch, number, pixels, labels, samples);
        let mut batch = catch_unwind(AssertUnwindSafe(attempt)).map_err(|panic| {
            let problem = format!("panicked at batch {number}: {}", panic_message(panic.as_ref()));
            DataError::Worker { problem }
        })?;
        if !self.keeps_bytes {
            let values_per_image = self.dataset.preprocess().input.len();
            batch.pixels = HostPixels::Floats(batch.pixels.into_floats(values_per_image));
        }
        Ok(batch)
    }

    /// One sample, with any failure, a panic of a source included, turned into an error that
    /// names it.
    fn append(
        &self,
        sample: [usize; 2],
        working: &mut WorkingImage,
        pixels: &mut Vec<u8>,
    ) -> Result<u32, DataError> {
        // After a panic the buffers may hold anything; the batch and the epoch end with it, so
        // nobody looks.
        let [index, _] = sample;
        let attempt = || self.dataset.append(self.epoch, sample, working, pixels);
        match catch_unwind(AssertUnwindSafe(attempt)) {
            Ok(Ok(label)) => Ok(label),
            Ok(Err(error)) => Err(DataError::Sample { index, source: Box::new(error) }),
            Err(panic) => {
                let problem = format!("panicked: {}", panic_message(panic.as_ref()));
                let source = Box::new(DataError::Worker { problem });
                Err(DataError::Sample { index, source })
            }
        }
    }
}

/// The machine has no memory for one batch.
fn too_large(num_images: usize, num_values: usize) -> DataError {
    let got = format!("{num_images} images of {num_values} values in all");
    DataError::argument("batch_size", "a batch that fits into memory", got)
}

/// What the panic said; `panic!` leaves a `&str` or a `String`.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
