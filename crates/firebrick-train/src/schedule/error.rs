//! What can be wrong with a schedule or its saved state.

use firebrick_component::ArgumentError;
use thiserror::Error;

/// A schedule that cannot be built or restored.
#[derive(Debug, Error)]
pub enum ScheduleError {
    /// An argument is outside its range, or a required one was left out.
    #[error("schedule.{0}")]
    Argument(#[from] ArgumentError),
    /// The schedule cycles a momentum that the optimiser does not have.
    #[error(
        "schedule {schedule}: cycle_momentum = true needs an optimizer with momentum or betas, and {optimizer} \
         has neither: set cycle_momentum = false or choose another optimizer"
    )]
    NoMomentum {
        /// Name of the schedule.
        schedule: &'static str,
        /// Name of the optimiser.
        optimizer: &'static str,
    },
    /// Saved state is of another kind of schedule.
    #[error("the saved state has {found}, but the schedule {schedule} expects {expected}")]
    State {
        /// Name of the schedule in use.
        schedule: &'static str,
        /// What it expects.
        expected: String,
        /// What was saved.
        found: String,
    },
    /// Saved state that the schedule cannot read.
    #[error("the saved state of the schedule {schedule} cannot be read: {reason}")]
    Unreadable {
        /// Name of the schedule.
        schedule: &'static str,
        /// Why.
        reason: String,
    },
}
