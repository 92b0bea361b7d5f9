//! Going on from an earlier checkpoint.
