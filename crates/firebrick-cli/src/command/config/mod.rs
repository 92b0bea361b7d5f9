//! `config show`, `config check`, `config plot-lr`: what a config means.

mod plot_lr;

use std::path::PathBuf;

use clap::Subcommand;

use crate::command::config::plot_lr::PlotLrArguments;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::{overrides, read_config};

/// What to do with a config.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a config with every default spelled out
    #[command(after_help = "Example:\n  firebrick config show my.toml --set trainer.epochs=3")]
    Show {
        /// Config file [default: the compiled-in configs/quickstart.toml]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Change a key, as in --set optimizer.lr=0.1; may be repeated
        #[arg(long, value_name = "KEY.PATH=VALUE")]
        set: Vec<String>,
    },
    /// Check config files; data and devices are not looked at
    #[command(after_help = "Example:\n  firebrick config check configs/*.toml")]
    Check {
        /// Config files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Draw the learning rate over the run
    #[command(after_help = "Examples:
  firebrick config plot-lr my.toml
  firebrick config plot-lr my.toml --set schedule.name=one_cycle --output lr.svg")]
    PlotLr(PlotLrArguments),
}

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
