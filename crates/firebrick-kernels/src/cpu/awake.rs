//! Keeping another thread of the pool awake, because waking one takes longer than a small network's kernels.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

/// How long a thread looks for work before it sleeps until the pool wakes it: longer than the gaps between the kernels of
/// a small network's step, too short to be in the way of threads that load images.
const PATIENCE: Duration = Duration::from_micros(500);

/// Pauses between two looks.
const PAUSES: usize = 16;

/// Threads that look for work now.
static AWAKE: AtomicUsize = AtomicUsize::new(0);

/// Whether work that is shared now is begun at once by another thread.
pub(crate) fn another_is_awake() -> bool {
    AWAKE.load(Ordering::Relaxed) > 0
}

/// Run `work` in the pool while another of its threads, if there is one, looks for parts of it.
pub fn with_another_awake<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let is_done = AtomicBool::new(false);
    rayon::scope(|scope| {
        let (here, is_done) = (rayon::current_thread_index(), &is_done);
        let _done = SetOnDrop(is_done);
        if rayon::current_num_threads() > 1 {
            // This thread may come across it while it waits for another, but must not wait for itself.
            scope.spawn(move |_| {
                if rayon::current_thread_index() != here {
                    look_for_work(is_done);
                }
            });
        }
        work()
    })
}

/// Ends the other's looking, also when the work panics.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Do the pool's work as it comes, until there is none for long or `is_done`.
fn look_for_work(is_done: &AtomicBool) {
    let _counted = Counted::new();
    let mut idle_since = Instant::now();
    while !is_done.load(Ordering::Relaxed) && idle_since.elapsed() < PATIENCE {
        if rayon::yield_now() == Some(Yield::Executed) {
            idle_since = Instant::now();
        } else {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
        }
    }
}

/// Counts one thread as awake while it lives.
struct Counted;

impl Counted {
    fn new() -> Self {
        AWAKE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        AWAKE.fetch_sub(1, Ordering::Relaxed);
    }
}
