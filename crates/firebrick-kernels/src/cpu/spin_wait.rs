//! A spin-wait worker: while a training step runs, one more thread of the pool polls for work instead of sleeping, because
//! waking a thread takes longer than the kernels of a small network.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

/// How long a worker polls without finding work before it sleeps (OpenMP runtimes call it the block time): longer than the
/// gaps between the kernels of a small network's step, too short to be in the way of threads that load images.
const BLOCK_TIME: Duration = Duration::from_micros(500);

/// Spin-loop hints between two polls.
const SPINS_PER_POLL: usize = 16;

/// Workers that poll now.
static SPINNING_WORKERS: AtomicUsize = AtomicUsize::new(0);

/// Whether a worker polls now, so that it begins at once with whatever is shared.
pub(crate) fn a_worker_spins() -> bool {
    SPINNING_WORKERS.load(Ordering::Relaxed) > 0
}

/// Run `work` in the pool while another of its threads, if there is one, polls for parts of it.
pub fn with_spinning_worker<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let is_done = AtomicBool::new(false);
    rayon::scope(|scope| {
        let (here, is_done) = (rayon::current_thread_index(), &is_done);
        let _done = SetOnDrop(is_done);
        if rayon::current_num_threads() > 1 {
            // This thread may come across the task while it waits for another one; it must not wait for itself.
            scope.spawn(move |_| {
                if rayon::current_thread_index() != here {
                    poll_for_work(is_done);
                }
            });
        }
        work()
    })
}

/// Ends the worker's polling, also when the work panics.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Do the pool's work as it comes, until there was none for [`BLOCK_TIME`] or `is_done`.
fn poll_for_work(is_done: &AtomicBool) {
    let _counted = SpinCount::new();
    let mut idle_since = Instant::now();
    while !is_done.load(Ordering::Relaxed) && idle_since.elapsed() < BLOCK_TIME {
        if rayon::yield_now() == Some(Yield::Executed) {
            idle_since = Instant::now();
        } else {
            (0..SPINS_PER_POLL).for_each(|_| std::hint::spin_loop());
        }
    }
}

/// Counts one polling worker while it lives.
struct SpinCount;

impl SpinCount {
    fn new() -> Self {
        SPINNING_WORKERS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for SpinCount {
    fn drop(&mut self) {
        SPINNING_WORKERS.fetch_sub(1, Ordering::Relaxed);
    }
}
