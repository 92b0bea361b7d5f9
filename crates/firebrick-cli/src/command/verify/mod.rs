//! `verify`: whether a run's files are whole, and whether training gives the numbers that were recorded.

mod against;
mod replay;
mod run;

use std::path::PathBuf;

use clap::Args;

use crate::command::verify::against::AgainstArguments;
use crate::exit::Exit;
use crate::message::Failure;

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Run folder, as in runs/quickstart-001
    #[arg(value_name = "RUN", required_unless_present_any = ["against", "replay"], conflicts_with = "against")]
    run: Option<PathBuf>,

    /// Train a short run of CONFIG twice, without a stop and with several, and compare the bits
    #[arg(long, value_name = "CONFIG", conflicts_with_all = ["run", "against"])]
    replay: Option<PathBuf>,

    #[command(flatten)]
    against: AgainstArguments,
}

/// Checks what was asked for.
pub fn run(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    match arguments {
        VerifyArguments { run: Some(run), .. } => run::run(run),
        VerifyArguments { replay: Some(config), against, .. } => replay::run(config, &against.set),
        VerifyArguments { against, .. } => match &against.against {
            Some(trace) => against::run(trace, against),
            None => unreachable!("bug: clap lets `verify` begin without RUN, --replay and --against"),
        },
    }
}
