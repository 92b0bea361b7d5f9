//! Checkpoints of a run whose config is lost.
