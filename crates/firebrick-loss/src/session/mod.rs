//! One loss on plain arrays: what the `loss` command of the command line and the golden tests need, and
//! no training does.
//!
//! A loss says which arrays it takes ([`InputSlot`]) and computes itself from a [`Session`], which turns
//! arrays into tensors and refuses everything that could panic in Burn: wrong ranks, element types that
//! the device does not have, integers that do not fit the device's.

pub(crate) mod explanation;
pub(crate) mod ranks;
mod sequences;
mod slot;
mod tensors;

pub use explanation::Term;
pub use slot::{Evaluation, InputKind, InputSlot, Inputs};
pub use tensors::Session;
