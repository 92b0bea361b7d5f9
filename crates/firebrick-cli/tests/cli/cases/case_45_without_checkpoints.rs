//! A run whose checkpoints are gone.
