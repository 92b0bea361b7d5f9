//! The spin-wait worker: work is done once, ends, and may be nested or fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use firebrick_kernels::cpu::with_spinning_worker;

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn work_is_done_once_for_any_number_of_threads() {
    let runs = AtomicUsize::new(0);
    let count = || runs.fetch_add(1, Ordering::Relaxed);
    let work = || with_spinning_worker(|| with_spinning_worker(|| rayon::join(count, count)));
    work(); // from outside of any pool
    for threads in 1..=4 {
        pool(threads).install(work);
    }
    assert_eq!(runs.into_inner(), 10);
}

#[test]
fn a_panic_comes_back() {
    for threads in 1..=3 {
        let pool = pool(threads);
        let failed =
            catch_unwind(AssertUnwindSafe(|| pool.install(|| with_spinning_worker(|| panic!("over")))));
        assert!(failed.is_err());
        // The worker does not poll for ever: the pool still works.
        assert_eq!(pool.install(|| rayon::join(|| 1, || 2)), (1, 2));
    }
}

#[test]
fn the_other_thread_takes_part() {
    // Either half waits for the other to have begun, so one thread alone would wait for ever.
    let both = std::sync::Barrier::new(2);
    for _ in 0..100 {
        pool(2).install(|| with_spinning_worker(|| rayon::join(|| both.wait(), || both.wait())));
    }
}
