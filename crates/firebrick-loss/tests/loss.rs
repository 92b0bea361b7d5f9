//! The tests of the losses: golden files, an f64 oracle, edge cases, errors, and random shapes.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "loss/api.rs"]
mod api;
#[path = "loss/classes.rs"]
mod classes;
#[path = "loss/double.rs"]
mod double;
#[path = "loss/dual.rs"]
mod dual;
#[path = "loss/errors.rs"]
mod errors;
#[path = "loss/golden.rs"]
mod golden;
#[path = "loss/mutation.rs"]
mod mutation;
#[path = "loss/oracle.rs"]
mod oracle;
#[path = "loss/oracle_rows.rs"]
mod oracle_rows;
#[path = "loss/own.rs"]
mod own;
#[path = "loss/property.rs"]
mod property;
#[path = "loss/support.rs"]
mod support;
