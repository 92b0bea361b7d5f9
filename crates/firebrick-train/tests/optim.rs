//! Optimisers, schedules, clipping, accumulation and averaged weights, against PyTorch's numbers.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "optim/support.rs"]
mod support;

#[path = "optim/average.rs"]
mod average;
#[path = "optim/clipping.rs"]
mod clipping;
#[path = "optim/golden.rs"]
mod golden;
#[path = "optim/groups.rs"]
mod groups;
#[path = "optim/resume.rs"]
mod resume;
#[path = "optim/schedules.rs"]
mod schedules;
#[path = "optim/training.rs"]
mod training;
