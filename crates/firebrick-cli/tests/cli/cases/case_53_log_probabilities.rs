//! Losses that want log-probabilities.
