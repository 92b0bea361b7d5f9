//! The config reader and the loop, as a program meets them.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "train/backend.rs"]
mod backend;
#[path = "train/config.rs"]
mod config;
#[path = "train/loss_runs.rs"]
mod loss_runs;
#[path = "train/parity.rs"]
mod parity;
#[path = "train/sequential.rs"]
mod sequential;
#[path = "train/trace.rs"]
mod trace;
