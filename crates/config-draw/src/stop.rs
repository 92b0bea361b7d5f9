//! The ways in which a run is stopped.

use crate::random::Random;

/// How a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// By `trainer.max_steps`.
    MaxSteps(u64),
    /// By an observer, as a signal stops the binaries: at its Nth event, and at every later one if it insists.
    Event {
        /// Which event, from 1.
        number: u64,
        /// Whether it says so at each event from then on.
        insists: bool,
    },
    /// At its Nth operation on the disk, as a kill does.
    Operation(u64),
    /// By `kill -9`, when this part of the time of a whole run is over.
    Kill(f64),
}

/// How long an uninterrupted run is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    pub steps: u64,
    pub events: u64,
    pub operations: u64,
}

impl Stop {
    /// In tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxSteps(_) => "max_steps",
            Self::Event { .. } => "event",
            Self::Operation(_) => "operation",
            Self::Kill(_) => "kill",
        }
    }

    /// A stop of a run of this length that may have `finished_steps` behind it: fewer must not be asked for.
    pub(crate) fn draw(random: &mut Random, length: Length, finished_steps: u64, may_kill: bool) -> Self {
        let most = |number: u64| (number * 2 / 3).max(1);
        match random.between(0, if may_kill { 6 } else { 5 }) {
            0 | 1 => Self::MaxSteps(random.between(finished_steps.clamp(1, length.steps), length.steps)),
            2 | 3 => {
                Self::Event { number: random.between(1, most(length.events)), insists: random.chance(0.8) }
            }
            4 | 5 => Self::Operation(random.between(1, most(length.operations))),
            _ => Self::Kill(random.fraction()),
        }
    }
}
