//! What an evaluation is summed up in: numbers made of the records of a split's images.
//!
//! One file is one metric, and a line in `config.rs`. Loss and accuracy are always there; `trainer.metrics` names
//! what is to be computed besides.

mod accuracy;
mod component;
mod config;
mod confusion;
#[cfg(test)]
mod golden;
mod macro_f1;
mod top_k;

pub use accuracy::AccuracyConfig;
pub use component::Metric;
pub use config::{MetricConfig, check_classes};
pub use confusion::confusion;
pub use macro_f1::MacroF1Config;
pub use top_k::TopKConfig;

pub(crate) use config::compute;
