//! The sizes of caches that the kernels block for, and how they keep arrays from meeting in few of a cache's sets.

/// Floats of a cache line.
pub(crate) const CACHE_LINE_FLOATS: usize = 16;

/// Floats of a weight from which on it does not stay in a core's own (second-level) cache, so that threads share its blocks
/// of channels and not the images.
pub(crate) const L2_WEIGHT_FLOATS: usize = 1 << 19;

/// Floats up to which an array may stay in the last-level cache: 16 MiB.
pub(crate) const LAST_LEVEL_CACHE_FLOATS: usize = 1 << 22;

/// A stride in floats at whose multiples neighbouring pixels fall into so few sets of the first-level cache that they evict
/// each other (a set-associativity conflict).
pub(crate) const SET_CONFLICT_FLOATS: usize = 128;

/// Round up to an odd number of cache lines, so that planes of this size do not begin in the same cache sets.
pub(crate) fn odd_cache_lines(floats: usize) -> usize {
    floats.next_multiple_of(2 * CACHE_LINE_FLOATS) + CACHE_LINE_FLOATS
}
