//! Batches in order, prepared ahead of the training loop by worker threads.
//!
//! Which samples a batch holds, and what they look like, depends on (seed, epoch) and the batch's
//! number alone. The workers only decide when it is ready, so any number of them gives the same
//! batches, and an epoch can be entered at any batch.

mod prefetch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::batch::HostBatch;
use crate::order::epoch_order;
use crate::transform::WorkingImage;
use crate::{DataError, PreparedDataset};

use prefetch::Prefetch;

/// How a data set is cut into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderOptions {
    /// Images in a batch. 0, which the config refuses, is taken as 1.
    pub batch_size: usize,
    /// Visit the samples in an order drawn for each epoch.
    pub shuffle: bool,
    /// What the order is drawn from.
    pub seed: u64,
    /// Threads that prepare batches; 0 prepares each in the caller's thread when it is asked for.
    pub workers: usize,
    /// Leave out the last batch when it is not full.
    pub drop_last: bool,
}

/// Cuts a data set into batches, epoch after epoch.
pub struct DataLoader {
    dataset: Arc<PreparedDataset>,
    options: LoaderOptions,
}

impl DataLoader {
    /// A loader of `dataset`. Nothing is read before [`DataLoader::epoch`].
    pub fn new(dataset: Arc<PreparedDataset>, options: LoaderOptions) -> Self {
        let batch_size = options.batch_size.max(1);
        Self { dataset, options: LoaderOptions { batch_size, ..options } }
    }

    /// Batches in an epoch.
    pub fn num_batches(&self) -> usize {
        match self.options.drop_last {
            true => self.dataset.len() / self.options.batch_size,
            false => self.dataset.len().div_ceil(self.options.batch_size),
        }
    }

    /// Images in an epoch: all, or those of the full batches with `drop_last`.
    pub fn num_samples(&self) -> usize {
        match self.options.drop_last {
            true => self.num_batches() * self.options.batch_size,
            false => self.dataset.len(),
        }
    }

    /// The batches of epoch `epoch` from number `first_batch` (counted from 0) to the end.
    ///
    /// The batches before it are not prepared: a resumed run continues at once. Past the end there
    /// are none.
    pub fn epoch(&self, epoch: u64, first_batch: usize) -> EpochBatches {
        let LoaderOptions { batch_size, shuffle, seed, workers, .. } = self.options;
        let plan = Arc::new(EpochPlan {
            dataset: Arc::clone(&self.dataset),
            order: epoch_order(self.dataset.len(), shuffle, seed, epoch),
            epoch,
            batch_size,
            num_batches: self.num_batches(),
        });
        let left = plan.num_batches.saturating_sub(first_batch);
        let prefetch = Prefetch::start(&plan, first_batch, workers.min(left));
        EpochBatches { plan, next: first_batch, prefetch, working: WorkingImage::new() }
    }
}

/// The batches of one epoch, in order. Dropping it stops the workers.
///
/// After an `Err` there is nothing more: an epoch is whole, or it ends with the reason why not.
pub struct EpochBatches {
    plan: Arc<EpochPlan>,
    next: usize,
    /// The workers; without them batches are made here.
    prefetch: Option<Prefetch>,
    working: WorkingImage,
}

impl EpochBatches {
    /// Batches not yet taken.
    pub fn num_left(&self) -> usize {
        self.plan.num_batches.saturating_sub(self.next)
    }
}

impl Iterator for EpochBatches {
    type Item = Result<HostBatch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.num_left() == 0 {
            return None;
        }
        let batch = match &self.prefetch {
            Some(prefetch) => prefetch.wait_for(self.next),
            None => self.plan.prepare(self.next, &mut self.working, || false)?,
        };
        self.next += 1;
        if batch.is_err() || self.num_left() == 0 {
            self.next = self.plan.num_batches;
            self.prefetch = None;
        }
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // At least one comes: a batch, or the error that ends the epoch.
        (self.num_left().min(1), Some(self.num_left()))
    }
}

/// Everything that says what the batches of one epoch are.
struct EpochPlan {
    dataset: Arc<PreparedDataset>,
    order: Vec<usize>,
    epoch: u64,
    batch_size: usize,
    num_batches: usize,
}

impl EpochPlan {
    /// The samples of batch `number`.
    fn samples(&self, number: usize) -> &[usize] {
        let start = number.saturating_mul(self.batch_size).min(self.order.len());
        let end = start.saturating_add(self.batch_size).min(self.order.len());
        &self.order[start..end]
    }

    /// Makes batch `number`, or `None` when `stopped` says between two samples that nobody waits
    /// for it any more.
    fn prepare(
        &self,
        number: usize,
        working: &mut WorkingImage,
        stopped: impl Fn() -> bool,
    ) -> Option<Result<HostBatch, DataError>> {
        let samples = self.samples(number);
        let input = self.dataset.preprocess().input;
        let mut images = Vec::new();
        let num_values = samples.len().saturating_mul(input.len());
        if images.try_reserve_exact(num_values).is_err() {
            return Some(Err(too_large(samples.len(), num_values)));
        }
        let mut labels = Vec::with_capacity(samples.len());
        for &index in samples {
            if stopped() {
                return None;
            }
            match self.append(index, working, &mut images) {
                Ok(label) => labels.push(i64::from(label)),
                Err(error) => return Some(Err(error)),
            }
        }
        let shape = [samples.len(), input.channels, input.height, input.width];
        Some(Ok(HostBatch { images, shape, labels, sample_indices: samples.to_vec() }))
    }

    /// One sample, with any failure, a panic of a source included, turned into an error that
    /// names it.
    fn append(
        &self,
        index: usize,
        working: &mut WorkingImage,
        images: &mut Vec<f32>,
    ) -> Result<u32, DataError> {
        // After a panic the buffers may hold anything; the batch and the epoch end with it, so
        // nobody looks.
        let attempt = || self.dataset.append(self.epoch, index, working, images);
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
