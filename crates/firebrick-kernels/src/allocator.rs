//! What programs whose global allocator is mimalloc tell it.

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// mimalloc's `mi_option_purge_delay`, which its bindings leave out: milliseconds until freed pages go back to the system.
const PURGE_DELAY: mi_option_t = 15;

/// Keep the pages of freed memory for the program, whose next step asks for as many again: getting them back from the system,
/// zeroed, took up to a seventh of a step.
pub fn keep_freed_memory() {
    // SAFETY: sets a number that mimalloc reads whenever it frees pages; negative means never.
    unsafe { mi_option_set(PURGE_DELAY, -1) };
}

#[cfg(test)]
mod tests {
    use libmimalloc_sys::mi_option_get;

    use super::*;

    #[test]
    fn the_option_is_the_one_that_says_so() {
        // SAFETY: reads a number.
        let read = || unsafe { mi_option_get(PURGE_DELAY) };
        // No other option has this default.
        assert_eq!(read(), 1000);
        keep_freed_memory();
        assert_eq!(read(), -1);
    }
}
