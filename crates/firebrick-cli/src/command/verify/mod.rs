//! `verify`: whether a run's files are whole, and whether training gives the numbers that were recorded.

mod against;
mod replay;
mod run;

pub use against::AgainstArguments;

use crate::args::VerifyArguments;
use crate::exit::Exit;
use crate::message::Failure;

/// Checks what was asked for.
pub fn run(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    match (&arguments.run, &arguments.against.against) {
        (Some(run), _) if arguments.replay => replay::run(run),
        (Some(run), _) => run::run(run),
        (None, Some(trace)) => against::run(trace, &arguments.against),
        (None, None) => Err(Failure::usage("expected a run folder, or --against TRACE")),
    }
}
