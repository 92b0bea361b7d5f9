//! Working memory that is used again: each thread keeps the buffers it gave back, aligned to a
//! cache line, so that a training step allocates and zeroes nothing after its first run.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use super::cache::CACHE_LINE_FLOATS;

/// One cache line of floats; its alignment is the buffer's.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; CACHE_LINE_FLOATS]);

/// Buffers that one thread keeps at most; the smallest leaves first.
const KEPT_BUFFERS: usize = 16;

thread_local! {
    static KEPT: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of `len` floats with unspecified (but initialised) contents. Dropping it gives the memory back
/// to the thread that drops it.
pub(crate) struct Scratch {
    lines: Vec<Line>,
    len: usize,
}

impl Scratch {
    /// A buffer for `len` floats; the contents are whatever was there.
    pub(crate) fn take(len: usize) -> Self {
        let needed = len.div_ceil(CACHE_LINE_FLOATS);
        let mut lines = KEPT.with_borrow_mut(|kept| take_smallest_fitting(kept, needed));
        if lines.len() < needed {
            lines.resize(needed, Line([0.0; CACHE_LINE_FLOATS]));
        }
        Self { lines, len }
    }

    /// A buffer of `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut scratch = Self::take(len);
        scratch.fill(0.0);
        scratch
    }
}

/// The smallest kept buffer that is large enough, otherwise a new, empty one.
fn take_smallest_fitting(kept: &mut Vec<Vec<Line>>, needed: usize) -> Vec<Line> {
    let fitting = kept
        .iter()
        .enumerate()
        .filter(|(_, lines)| lines.len() >= needed)
        .min_by_key(|(_, lines)| lines.len());
    match fitting.map(|(index, _)| index) {
        Some(index) => kept.swap_remove(index),
        None => Vec::new(),
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        // While a thread ends its store may be gone: then the memory is simply freed.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            kept.push(lines);
            if kept.len() > KEPT_BUFFERS
                && let Some((index, _)) = kept.iter().enumerate().min_by_key(|(_, lines)| lines.len())
            {
                kept.swap_remove(index);
            }
        });
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is exactly one cache line of floats without padding, so the vector's initialised lines
        // are `CACHE_LINE_FLOATS * lines.len() >= len` initialised floats.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; `&mut self` makes the borrow unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// A raw pointer that may cross threads: every user writes its own, disjoint part.
#[derive(Clone, Copy)]
pub(crate) struct SharedOut(*mut f32);

// SAFETY: the pointer is only ever used to write parts that no other thread touches; each use
// argues its own bounds.
unsafe impl Send for SharedOut {}
// SAFETY: as for `Send`.
unsafe impl Sync for SharedOut {}

impl SharedOut {
    /// Share `target` among threads that write disjoint parts of it.
    pub(crate) fn new(target: *mut f32) -> Self {
        Self(target)
    }

    /// The pointer itself.
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}

/// A new vector of `len` floats that `fill` writes completely.
///
/// # Safety
/// `fill` must initialise every one of the `len` floats at the pointer it is given.
pub(crate) unsafe fn new_filled(len: usize, fill: impl FnOnce(SharedOut)) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    advise_huge_pages(&mut values);
    fill(SharedOut::new(values.as_mut_ptr()));
    // SAFETY: the capacity is `len` and the caller promises that `fill` wrote all of it.
    unsafe { values.set_len(len) };
    values
}

/// Bytes from which on an array is worth huge pages: those of smaller networks would take more memory and hardly less time.
#[cfg(target_os = "linux")]
const MIN_HUGE_BYTES: usize = 8 << 20;

/// Ask the system for huge pages where a large array has room for whole ones: fewer of them have to be zeroed and looked up.
/// Pages that were used before stay as they are.
#[cfg(target_os = "linux")]
fn advise_huge_pages(values: &mut Vec<f32>) {
    const HUGE_PAGE: usize = 2 << 20;
    let bytes = values.capacity() * size_of::<f32>();
    if bytes < MIN_HUGE_BYTES {
        return;
    }
    let start = values.as_mut_ptr().cast::<u8>();
    let offset = start.align_offset(HUGE_PAGE);
    let len = (bytes.saturating_sub(offset)) / HUGE_PAGE * HUGE_PAGE;
    // SAFETY: the range lies inside the vector's memory, and the advice changes nothing that a program could see. A system
    // that cannot follow it says so, and nothing is lost.
    unsafe { libc::madvise(start.add(offset.min(bytes)).cast(), len, libc::MADV_HUGEPAGE) };
}

/// Other systems choose by themselves.
#[cfg(not(target_os = "linux"))]
fn advise_huge_pages(_: &mut Vec<f32>) {}
