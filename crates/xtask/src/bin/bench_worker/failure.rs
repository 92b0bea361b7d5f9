//! What can go wrong in a measurement: anything, and then the recipe ends.

/// Any error.
pub type Failure = Box<dyn std::error::Error>;
