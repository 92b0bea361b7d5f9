//! Learning-rate schedules with torch's names, arguments and numbers.
//!
//! One file is one schedule: its arguments, which make it an [`LrSchedule`], and its [`Curve`], a function of the step
//! (or epoch) in f64; its line in `config.rs` gives it a name. A program adds a schedule of its own by
//! [`ScheduleConfig::register`]. Nothing is carried from step to step, so a resumed run needs no schedule state; the
//! exception are schedules that watch a metric, such as [`plateau`], which is told it and counts.
//!
//! **Steps or epochs.** `per` says whether a curve advances at each optimiser step or at each epoch.
//! Left out, it is what torch's examples do: `one_cycle` and `cyclic` go by steps, everything else
//! by epochs. Arguments such as `T_max` and `milestones` are counted in the same unit.
//!
//! **Warm-up.** Any schedule may have one in front: `warmup = { steps = 500 }` or
//! `warmup = { epochs = 5 }`. It always advances at each step, rises in a straight line from
//! `start_factor` times the schedule's first learning rate to that rate, and only then does the
//! schedule begin at its own zero: torch's `SequentialLR` of a `LinearLR` and the schedule.
//!
//! **Length.** `T_max` (cosine), `T_0` (cosine_warm_restarts) and `total_steps` (one_cycle) may be
//! left out: they are then what remains of all epochs after the warm-up, in the schedule's unit, also
//! where `trainer.max_steps` ends the run earlier.

mod config;
mod constant;
mod cosine;
mod cosine_warm_restarts;
mod curve;
mod cyclic;
mod error;
mod exponential;
mod linear;
mod metric;
mod multistep;
mod none;
mod one_cycle;
pub mod plateau;
mod polynomial;
mod step;
mod timeline;
mod warmup;

pub use config::ScheduleConfig;
pub use constant::ConstantConfig;
pub use cosine::CosineConfig;
pub use cosine_warm_restarts::CosineWarmRestartsConfig;
pub use curve::{Curve, LrSchedule, Per};
pub use cyclic::{CyclicConfig, CyclicMode};
pub use error::ScheduleError;
pub use exponential::ExponentialConfig;
pub use linear::LinearConfig;
pub use metric::PlateauMetric;
pub use multistep::MultistepConfig;
pub use none::NoneConfig;
pub use one_cycle::{AnnealStrategy, OneCycleConfig};
pub use plateau::{PlateauConfig, PlateauMode, PlateauState, ThresholdMode};
pub use polynomial::PolynomialConfig;
pub use step::StepConfig;
pub use timeline::{AtStep, Schedule, ScheduleState};
pub use warmup::WarmupConfig;
