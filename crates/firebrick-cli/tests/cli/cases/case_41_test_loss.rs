//! The loss of a split is torch's criterion over that split.
