//! Batches in order, prepared ahead of the training loop by worker threads.
//!
//! Which samples a batch holds, and what they look like, depends on (seed, epoch) and the batch's
//! number alone. The workers only decide when it is ready, so any number of them gives the same
//! batches, and an epoch can be entered at any batch.

mod epoch_plan;
mod prefetch;

use std::sync::Arc;

use epoch_plan::EpochPlan;
use prefetch::Prefetch;

use crate::batch::HostBatch;
use crate::error::DataError;
use crate::order::{balanced_order, epoch_order};
use crate::prepared::PreparedDataset;
use crate::transform::WorkingImage;

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
    keeps_bytes: bool,
}

impl DataLoader {
    /// A loader of `dataset`. Nothing is read before [`DataLoader::epoch`].
    pub fn new(dataset: Arc<PreparedDataset>, options: LoaderOptions) -> Self {
        let batch_size = options.batch_size.max(1);
        Self { dataset, options: LoaderOptions { batch_size, ..options }, keeps_bytes: false }
    }

    /// Leaves pixels as bytes until `HostBatch::to_tensors`, where no batch transform needs numbers: for
    /// who wants no numbers, or wants them as late as possible. Otherwise the workers convert them, so that
    /// the thread that trains does not have to.
    #[must_use]
    pub fn keep_bytes(self) -> Self {
        Self { keeps_bytes: true, ..self }
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
        let LoaderOptions { batch_size, workers, .. } = self.options;
        let plan = Arc::new(EpochPlan {
            dataset: Arc::clone(&self.dataset),
            draws: self.draws(epoch),
            epoch,
            batch_size,
            num_batches: self.num_batches(),
            keeps_bytes: self.keeps_bytes,
        });
        let left = plan.num_batches.saturating_sub(first_batch);
        let prefetch = Prefetch::start(&plan, first_batch, workers.min(left));
        EpochBatches { plan, next: first_batch, prefetch, working: WorkingImage::new() }
    }

    /// The samples of epoch `epoch` in the order in which its batches hold them.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        self.draws(epoch).into_iter().map(|[index, _]| index).collect()
    }

    /// The samples of an epoch in their order, each with how often it came before in the epoch.
    fn draws(&self, epoch: u64) -> Vec<[usize; 2]> {
        let LoaderOptions { shuffle, seed, .. } = self.options;
        let count = self.dataset.len();
        if let Some(by_class) = self.dataset.balanced().filter(|_| shuffle) {
            let mut seen = vec![0; count];
            let order = balanced_order(by_class, seed, epoch).into_iter();
            let draw = |index: usize| {
                seen[index] += 1;
                [index, seen[index] - 1]
            };
            return order.map(draw).collect();
        }
        let order = epoch_order(count, shuffle, seed, epoch);
        let num_repeats = self.dataset.num_repeats();
        (0..count).map(|place| [order[place / num_repeats], place % num_repeats]).collect()
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
