//! How work is split among threads.

use std::ops::Range;

use rayon::prelude::*;

use super::shape::ConvShape;
use super::spin_wait::a_worker_spins;

/// Items for each thread that a convolution is split into where there is enough work: some run longer than others.
pub(crate) const ITEMS_PER_THREAD: usize = 4;

/// Floating-point operations below which waking another thread costs more than it saves.
const SERIAL_FLOPS: u64 = 16 << 20;

/// As [`SERIAL_FLOPS`], while a worker spins and need not be woken.
const SERIAL_FLOPS_SPINNING: u64 = 4 << 20;

/// Floating-point operations from which on each of two tasks is worth a thread.
const MIN_THREAD_FLOPS: u64 = 1 << 20;

/// Floats below which waking another thread costs more than sharing one pass over them saves.
const SERIAL_FLOATS: usize = 1 << 17;

/// As [`SERIAL_FLOATS`], while a worker spins and need not be woken.
const SERIAL_FLOATS_SPINNING: usize = 1 << 14;

/// Items at most that little work is split into: for more of them more threads would have to be woken.
const MAX_SMALL_ITEMS: usize = 4;

/// Lanes of the widest register.
const WIDEST_LANES: usize = 16;

/// Threads that are worth their waking for a convolution in which `produced` channels lie along the lanes.
pub(crate) fn threads_for(shape: &ConvShape, produced: usize) -> usize {
    // A register that is not full costs as much as one that is.
    let filled = produced.next_multiple_of(WIDEST_LANES) / produced;
    let serial = if a_worker_spins() { SERIAL_FLOPS_SPINNING } else { SERIAL_FLOPS };
    if shape.flops() * (filled as u64) < serial { 1 } else { rayon::current_num_threads() }
}

/// Threads that are worth their waking for one pass over `floats`.
pub(crate) fn threads_for_floats(floats: usize) -> usize {
    let serial = if a_worker_spins() { SERIAL_FLOATS_SPINNING } else { SERIAL_FLOATS };
    if floats < serial { 1 } else { rayon::current_num_threads() }
}

/// Items to split a convolution's work into, `per_thread` for each thread where there is much of it.
pub(crate) fn items_for(shape: &ConvShape, threads: usize, per_thread: usize) -> usize {
    match threads {
        1 => 1,
        _ if shape.flops() < SERIAL_FLOPS => threads.min(MAX_SMALL_ITEMS),
        _ => threads * per_thread,
    }
}

/// Part `index` of `count` parts of `0..len` that are as equal as can be.
pub(crate) fn part(len: usize, index: usize, count: usize) -> Range<usize> {
    len * index / count..len * (index + 1) / count
}

/// Do two things for a convolution, at the same time where each alone is too little for all threads.
pub(crate) fn join<A: Send, B: Send>(
    shape: &ConvShape,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if (MIN_THREAD_FLOPS..SERIAL_FLOPS).contains(&shape.flops()) {
        rayon::join(first, second)
    } else {
        (first(), second())
    }
}

/// Do every item, on this thread if it is the only one.
pub(crate) fn parallel_for<T: Send>(items: Vec<T>, threads: usize, run: impl Fn(T) + Send + Sync) {
    if threads == 1 || items.len() == 1 {
        items.into_iter().for_each(run);
    } else {
        items.into_par_iter().for_each(run);
    }
}
