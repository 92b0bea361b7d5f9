//! How work is shared among threads.

use rayon::prelude::*;

use super::awake::another_is_awake;
use super::shape::ConvShape;

/// Floating-point operations below which waking another thread costs more than it saves.
const SERIAL_FLOPS: u64 = 16 << 20;

/// As [`SERIAL_FLOPS`], for a thread that is awake.
const SERIAL_FLOPS_AWAKE: u64 = 4 << 20;

/// Floating-point operations from which on each of two things is worth a thread.
const WORTH_A_THREAD_FLOPS: u64 = 1 << 20;

/// Floats below which waking another thread costs more than sharing one pass over them saves.
const SERIAL_FLOATS: usize = 1 << 17;

/// As [`SERIAL_FLOATS`], for a thread that is awake.
const SERIAL_FLOATS_AWAKE: usize = 1 << 14;

/// Items that little work is split into at most: more threads than these would have to be woken.
const FEW_ITEMS: usize = 4;

/// Lanes of the widest register.
const WIDEST: usize = 16;

/// Threads that are worth their waking for a convolution in which `produced` channels lie along the lanes.
pub(crate) fn threads_for(shape: &ConvShape, produced: usize) -> usize {
    // A register that is not full costs as much as one that is.
    let filled = produced.next_multiple_of(WIDEST) / produced;
    let serial = if another_is_awake() { SERIAL_FLOPS_AWAKE } else { SERIAL_FLOPS };
    if shape.flops() * (filled as u64) < serial { 1 } else { rayon::current_num_threads() }
}

/// Threads that are worth their waking for one pass over `floats`.
pub(crate) fn threads_for_floats(floats: usize) -> usize {
    let serial = if another_is_awake() { SERIAL_FLOATS_AWAKE } else { SERIAL_FLOATS };
    if floats < serial { 1 } else { rayon::current_num_threads() }
}

/// Items to split a convolution's work into, `per_thread` for each thread where there is much of it.
pub(crate) fn items_for(shape: &ConvShape, threads: usize, per_thread: usize) -> usize {
    match threads {
        1 => 1,
        _ if shape.flops() < SERIAL_FLOPS => threads.min(FEW_ITEMS),
        _ => threads * per_thread,
    }
}

/// Do two things for a convolution, at the same time where each alone is too little for all threads.
pub(crate) fn both<A: Send, B: Send>(
    shape: &ConvShape,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if (WORTH_A_THREAD_FLOPS..SERIAL_FLOPS).contains(&shape.flops()) {
        rayon::join(first, second)
    } else {
        (first(), second())
    }
}

/// Do every item, on this thread if it is the only one.
pub(crate) fn share<T: Send>(items: Vec<T>, threads: usize, run: impl Fn(T) + Send + Sync) {
    if threads == 1 || items.len() == 1 {
        items.into_iter().for_each(run);
    } else {
        items.into_par_iter().for_each(run);
    }
}
