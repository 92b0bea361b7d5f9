//! What the automatic policies share: operations with their magnitudes, and AutoAugment's tables.

mod magnitude;
mod tables;

pub(super) use magnitude::{AUTO, MIX, RANDOM_OPERATIONS, WIDE, signed};
pub use tables::Policy;
