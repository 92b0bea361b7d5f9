//! The command line of Firebrick: the binaries `train` and `firebrick` are two doors into it.
//!
//! An invocation passes through the files in this order: [`args`] is what was said, [`resolve`]
//! what is meant (only that may read files), [`command`] does it; [`progress`] and [`log`] tell a
//! person how it goes, [`message`] what went wrong, [`exit`] the shell.
//!
//! Results go to standard output, progress and messages to standard error.

mod args;
mod command;
mod exit;
mod log;
mod message;
mod output;
mod progress;
mod resolve;
mod signal;
mod style;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::exit::Exit;
use crate::message::Failure;

/// Runs the binary `train` on this process's arguments.
pub fn train() -> ExitCode {
    run(|arguments| {
        let parsed = args::TrainBinary::try_parse_from(arguments)?;
        command::train::run(parsed.arguments)
    })
}

/// Runs the binary `firebrick` on this process's arguments.
pub fn firebrick() -> ExitCode {
    run(|arguments| {
        let parsed = args::FirebrickBinary::try_parse_from(arguments)?;
        command::run(parsed.command)
    })
}

fn run(command: impl FnOnce(std::env::ArgsOs) -> Result<Exit, Failure>) -> ExitCode {
    let arguments: std::env::ArgsOs = std::env::args_os();
    let exit = command(arguments).unwrap_or_else(|failure| failure.report());
    exit.into()
}

/// How to start `firebrick` the way this process was started, for the hints in messages.
fn firebrick_command() -> &'static str {
    // Cargo sets it for what it runs; nobody who uses `cargo run` has the binary in the PATH.
    let cargo: Option<OsString> = std::env::var_os("CARGO_MANIFEST_DIR");
    match cargo {
        Some(_) => "cargo run --bin firebrick --",
        None => "firebrick",
    }
}
