//! The facade as an embedding program meets it.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "facade/arrows.rs"]
mod arrows;
#[path = "facade/crash/mod.rs"]
mod crash;
#[path = "facade/embedded.rs"]
mod embedded;
#[path = "facade/long_run.rs"]
mod long_run;
#[path = "facade/old_runs.rs"]
mod old_runs;
#[path = "facade/trainer.rs"]
mod trainer;
