//! A run that goes on with more epochs.
