//! How a recipe ends early.

/// Anything that ends a recipe early, said in one sentence.
pub type Failure = Box<dyn std::error::Error>;
