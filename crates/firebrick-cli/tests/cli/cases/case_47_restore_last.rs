//! The point of return after a divergence.
