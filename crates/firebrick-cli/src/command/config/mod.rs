//! `config show`, `config check`, `config plot-lr`: what a config means.

mod plot_lr;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use firebrick::component::text;
use firebrick::train::check;
use firebrick::train::config::Override;

use crate::attended::Attended;
use crate::command::config::plot_lr::PlotLrArguments;
use crate::console::{Format, say};
use crate::exit::Exit;
use crate::message::{Failure, warning};
use crate::output;
use crate::resolve::{overrides, read_config};
use crate::style::Style;

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
    /// Check config files, and whether they fit their data where that is there; devices are not looked at
    #[command(after_help = "Example:\n  firebrick config check configs/*.toml")]
    Check {
        /// Config files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,

        /// Change a key of each, as in --set data.root=/mnt/data; may be repeated
        #[arg(long, value_name = "KEY.PATH=VALUE")]
        set: Vec<String>,
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
        ConfigCommand::Check { files, set } => {
            let overrides = overrides(set)?;
            let attended = Attended::new(Format::for_people())?;
            let mut exit = Exit::Done;
            for file in files {
                match checked(file, &overrides, &attended) {
                    Ok(good) => output::line(format!("{}: {good}", text::path(file)))?,
                    Err(stopped @ Failure::Stopped(_)) => return Err(stopped),
                    Err(failure) => exit = failure.report(),
                }
            }
            Ok(exit)
        }
    }
}

/// Tells what is accepted and hardly meant; gives what is good about the config.
fn checked(file: &Path, overrides: &[Override], attended: &Attended) -> Result<&'static str, Failure> {
    let (config, _) = read_config(Some(file), overrides)?;
    let checked = attended.finish(check(&config, &attended.progress()))?;
    for notice in &checked.notices {
        say(&warning(&format!("{}: {notice}", text::path(file)), Style::stderr()));
    }
    Ok(match checked.has_data {
        true => "good",
        false => "good, but its data is not there to compare it with",
    })
}
