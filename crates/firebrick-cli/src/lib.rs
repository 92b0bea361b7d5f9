//! The command line of Firebrick: the binaries `train` and `firebrick` call its two functions of these names.
//!
//! An invocation passes through the files in this order: [`args`] is the command line; each file of
//! [`command`] says what its command takes and does it; [`resolve`] reads the config or opens the run that is
//! meant. [`attended`] is what commands share that a person waits for: [`console`], [`progress`] and [`log`] tell
//! how it goes, [`signal`] hears Ctrl-C. [`message`] says what went wrong, [`exit`] tells the shell.
//!
//! Results go to standard output, progress and messages to standard error.

mod args;
mod attended;
mod command;
mod console;
mod environment;
mod exit;
mod log;
mod message;
mod output;
mod progress;
mod resolve;
mod shell;
mod signal;
mod style;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{FirebrickBinary, TrainBinary};
use crate::exit::Exit;
use crate::message::Failure;

/// Runs the binary `train` on this process's arguments.
pub fn train() -> ExitCode {
    run(|| TrainBinary::try_parse()?.run())
}

/// Runs the binary `firebrick` on this process's arguments.
pub fn firebrick() -> ExitCode {
    run(|| FirebrickBinary::try_parse()?.run())
}

/// The command lines of both binaries, `train` first, for what is made of them: man pages and shell completions.
pub fn command_lines() -> [clap::Command; 2] {
    use clap::CommandFactory;
    [TrainBinary::command(), FirebrickBinary::command()]
}

fn run(command: impl FnOnce() -> Result<Exit, Failure>) -> ExitCode {
    environment::complete();
    environment::check().and_then(|()| command()).unwrap_or_else(Failure::report).into()
}
