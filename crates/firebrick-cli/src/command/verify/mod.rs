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
    match arguments {
        VerifyArguments { run: Some(run), .. } => run::run(run),
        VerifyArguments { replay: Some(config), against, .. } => replay::run(config, &against.set),
        VerifyArguments { against, .. } => match &against.against {
            Some(trace) => against::run(trace, against),
            None => Err(Failure::usage("expected a run folder, --replay CONFIG or --against TRACE")),
        },
    }
}
