//! Accumulated batches are the one batch that holds them all.
