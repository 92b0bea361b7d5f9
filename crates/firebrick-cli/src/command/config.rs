//! `config show` and `config check`: what a config means, without touching data or devices.

use crate::args::ConfigCommand;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::{overrides, read_config};

/// Shows or checks.
pub fn run(command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Show { file, set } => {
            let (config, _) = read_config(file.as_deref(), &overrides(set)?)?;
            output::line(config.to_toml()?.trim_end())?;
            Ok(Exit::Done)
        }
        ConfigCommand::Check { files } => {
            let mut exit = Exit::Done;
            for file in files {
                match read_config(Some(file), &[]) {
                    Ok(_) => output::line(format!("{}: good", file.display()))?,
                    Err(failure) => exit = failure.report(),
                }
            }
            Ok(exit)
        }
    }
}
