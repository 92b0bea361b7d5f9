//! The tests of the losses: golden files, an f64 oracle, edge cases, errors, and random shapes.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "loss/support.rs"]
mod support;

#[path = "loss/golden.rs"]
mod golden;
