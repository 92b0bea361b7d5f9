//! Where the work around the kernels runs.

use burn::tensor::Device;

use crate::backend::{IS_COMPILED_IN, Native};
use crate::cpu::with_spinning_worker;
use crate::environment::THREADS_VARIABLE;

/// Run `work` on a thread of the pool that the kernels of `device` share their work with, or right here
/// if the device has none.
///
/// A kernel that is called from outside the pool must put the calling thread to sleep and wake another, each
/// time; a training step calls dozens, so one change of threads for the step pays. Another of the pool's threads spins
/// meanwhile (for at most half a millisecond without work), because waking one takes longer than the kernels of a small
/// network.
pub fn near_kernels<T: Send>(device: &Device, work: impl FnOnce() -> T + Send) -> T {
    match Native::of(device) {
        Some(_) => with_spinning_worker(work),
        None => work(),
    }
}

/// Make the calling thread one of the pool that kernels share their work with, so that [`near_kernels`] need not change
/// threads. For the main thread of a program that does nothing but train; `false`, and nothing changes, if the
/// pool exists already, or if it would have no other thread.
///
/// What other threads give to the pool (rayon's global one) is then done by the remaining threads while this one is busy.
pub fn join_kernel_threads() -> bool {
    if !IS_COMPILED_IN {
        return false;
    }
    let threads = std::env::var(THREADS_VARIABLE).ok().and_then(|threads| threads.trim().parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.filter(|threads| *threads > 0).unwrap_or_else(cores);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    threads > 1 && pool.build_global().is_ok()
}
