//! The worker threads of one epoch and the reorder buffer (the shelf) into which they put finished batches.
//!
//! A worker takes the next number that no other has taken, prepares that batch and puts it into the buffer;
//! the consumer takes batches out in order. A worker takes no number that is more than the buffer's
//! capacity ahead of the consumer, which bounds the memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::epoch_plan::EpochPlan;
use crate::batch::HostBatch;
use crate::error::DataError;
use crate::transform::WorkingImage;

/// Batches in the buffer or being prepared, for each worker.
const AHEAD_PER_WORKER: usize = 2;

/// Running workers. Dropping it stops them, within one sample, and waits until they are gone.
pub(super) struct Prefetch {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    plan: Arc<EpochPlan>,
    ahead: usize,
    stopped: AtomicBool,
    shelf: Mutex<Shelf>,
    /// A batch was put into the buffer.
    arrived: Condvar,
    /// The consumer took one, or everything stops.
    room: Condvar,
}

struct Shelf {
    /// The next number no worker has taken.
    next_claim: usize,
    /// The next number the consumer wants.
    next_wanted: usize,
    ready: BTreeMap<usize, Result<HostBatch, DataError>>,
}

impl Prefetch {
    /// Starts `workers` threads on the batches from `first_batch` on.
    ///
    /// `None` when there shall be none, or when the system lets none start: the caller then makes
    /// the batches itself. They are the same, so this is not an error.
    pub(super) fn start(plan: &Arc<EpochPlan>, first_batch: usize, workers: usize) -> Option<Self> {
        let shared = Arc::new(Shared {
            plan: Arc::clone(plan),
            ahead: workers * AHEAD_PER_WORKER,
            stopped: AtomicBool::new(false),
            shelf: Mutex::new(Shelf {
                next_claim: first_batch,
                next_wanted: first_batch,
                ready: BTreeMap::new(),
            }),
            arrived: Condvar::new(),
            room: Condvar::new(),
        });
        let spawn = |number| {
            let shared = Arc::clone(&shared);
            let builder = Builder::new().name(format!("firebrick-data-{number}"));
            builder.spawn(move || shared.work()).ok()
        };
        let threads: Vec<_> = (0..workers).map_while(spawn).collect();
        (!threads.is_empty()).then_some(Self { shared, threads })
    }

    /// Batch `number`, which must be the one after the last taken; waits until it is there.
    pub(super) fn wait_for(&self, number: usize) -> Result<HostBatch, DataError> {
        let shared = &self.shared;
        let mut shelf = shared.lock();
        loop {
            if let Some(batch) = shelf.ready.remove(&number) {
                shelf.next_wanted = number + 1;
                shared.room.notify_one();
                return batch;
            }
            shelf = shared.arrived.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        {
            // Under the lock: a worker is either before its look at the flag or already waiting.
            let _shelf = self.shared.lock();
            self.shared.stopped.store(true, Ordering::Release);
        }
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            // A worker that panicked has left its reason on the shelf; here nobody asks any more.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // No code that can panic runs under the lock, so the shelf is whole even if poisoned.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn work(&self) {
        let mut working = WorkingImage::new();
        while let Some(number) = self.claim() {
            let claim = Claim { shared: self, number, done: false };
            match self.plan.prepare(number, &mut working, || self.is_stopped()) {
                Some(batch) => claim.deliver(batch),
                None => return,
            }
        }
    }

    /// The next number to work on, as soon as there is room for it; `None` when there is no more
    /// to do.
    fn claim(&self) -> Option<usize> {
        let mut shelf = self.lock();
        loop {
            let number = shelf.next_claim;
            if self.is_stopped() || number >= self.plan.num_batches {
                return None;
            }
            if number - shelf.next_wanted < self.ahead {
                shelf.next_claim += 1;
                return Some(number);
            }
            shelf = self.room.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, number: usize, batch: Result<HostBatch, DataError>) {
        self.lock().ready.insert(number, batch);
        self.arrived.notify_one();
    }
}

/// A number a worker has taken. Whatever becomes of the worker, something comes onto the shelf for
/// it: the consumer never waits for a thread that is gone.
struct Claim<'a> {
    shared: &'a Shared,
    number: usize,
    done: bool,
}

impl Claim<'_> {
    fn deliver(mut self, batch: Result<HostBatch, DataError>) {
        self.done = true;
        self.shared.put(self.number, batch);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.done {
            let problem = format!("gave up on batch {}", self.number);
            self.shared.put(self.number, Err(DataError::Worker { problem }));
        }
    }
}
