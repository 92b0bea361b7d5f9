//! The facade as an embedding program meets it.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "facade/arrows.rs"]
mod arrows;
#[path = "facade/trainer.rs"]
mod trainer;
