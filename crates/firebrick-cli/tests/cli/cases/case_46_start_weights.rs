//! A run whose start weights are gone.
