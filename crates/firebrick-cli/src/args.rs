//! The command lines of both binaries: what each command takes stands in the command's own file.

use clap::{Parser, Subcommand};

use crate::command::config::ConfigCommand;
use crate::command::data::DataCommand;
use crate::command::devices::DevicesArguments;
use crate::command::evaluate::EvaluateArguments;
use crate::command::export::ExportArguments;
use crate::command::loss::LossArguments;
use crate::command::predict::PredictArguments;
use crate::command::summary::SummaryArguments;
use crate::command::train::TrainArguments;
use crate::command::verify::VerifyArguments;
use crate::command::{config, data, devices, evaluate, export, loss, predict, summary, train, verify};
use crate::exit::Exit;
use crate::message::Failure;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 training diverged or a comparison failed, 2 wrong arguments or config, 3 data, \
4 storage or checkpoint, 130 stopped by Ctrl-C and 143 by SIGTERM, with a checkpoint saved.";

/// Train a convolutional network: without arguments, on the bundled handwritten digits.
#[derive(Debug, Parser)]
#[command(name = "train", version, after_help = EXIT_CODES)]
pub struct TrainBinary {
    #[command(flatten)]
    arguments: TrainArguments,
}

impl TrainBinary {
    /// Trains.
    pub fn run(self) -> Result<Exit, Failure> {
        train::run(self.arguments)
    }
}

/// Train convolutional networks, and use what was trained.
#[derive(Debug, Parser)]
#[command(name = "firebrick", version, after_help = EXIT_CODES)]
pub struct FirebrickBinary {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network: without arguments, on the bundled handwritten digits
    Train(TrainArguments),
    /// Measure a run's network on its test split: loss, accuracy, accuracy of each class
    Evaluate(EvaluateArguments),
    /// Tell which class images belong to
    Predict(PredictArguments),
    /// Show a network's layers, output shapes and parameters
    Summary(SummaryArguments),
    /// Show which backends this build holds and what they find on this machine
    Devices(DevicesArguments),
    /// Show or check config files
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at datasets, fetch them, save images of them
    #[command(subcommand)]
    Data(DataCommand),
    /// Compute a loss, its gradient and its arithmetic
    Loss(LossArguments),
    /// Write a run's weights for other programs
    Export(ExportArguments),
    /// Check that a run's checkpoints are whole, or that training gives recorded losses
    Verify(VerifyArguments),
}

impl FirebrickBinary {
    /// Does what was asked for.
    pub fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Train(arguments) => train::run(arguments),
            Command::Evaluate(arguments) => evaluate::run(&arguments),
            Command::Predict(arguments) => predict::run(&arguments),
            Command::Summary(arguments) => summary::run(&arguments),
            Command::Devices(arguments) => devices::run(&arguments),
            Command::Config(command) => config::run(&command),
            Command::Data(command) => data::run(&command),
            Command::Loss(arguments) => loss::run(&arguments),
            Command::Export(arguments) => export::run(&arguments),
            Command::Verify(arguments) => verify::run(&arguments),
        }
    }
}
