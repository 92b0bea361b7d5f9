//! Weights for another number of classes.
