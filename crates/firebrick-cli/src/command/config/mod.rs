//! `config show`, `config check`, `config plot-lr`: what a config means.

mod plot_lr;

pub use plot_lr::PlotLrArguments;

use crate::args::ConfigCommand;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::{overrides, read_config};

/// Shows, checks or draws.
pub fn run(command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Show { file, set } => {
            let (config, _) = read_config(file.as_deref(), &overrides(set)?)?;
            output::line(config.to_toml()?.trim_end())?;
            Ok(Exit::Done)
        }
        ConfigCommand::PlotLr(arguments) => plot_lr::run(arguments),
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
