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

/// What stands below the help of both binaries, behind their examples.
macro_rules! exit_codes {
    () => {
        "\n\nExit codes: 0 done, 1 training diverged or a comparison failed, 2 wrong arguments or config, 3 data, \
4 storage or checkpoint, 130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP, with a checkpoint saved."
    };
}

macro_rules! train_examples {
    () => {
        "Examples:
  train                                           a first run, in seconds
  train --config my.toml --set optimizer.lr=0.1   one key otherwise
  train --config my.toml --run-dir runs/mine --resume
                                                  begin, or go on after a stop"
    };
}

const TRAIN_EXAMPLES: &str = train_examples!();

const TRAIN_BINARY_EXAMPLES: &str = concat!(train_examples!(), exit_codes!());

const FIREBRICK_EXAMPLES: &str = concat!(
    "Examples:
  firebrick train --config my.toml
  firebrick evaluate runs/my-001
  firebrick predict runs/my-001 photo.jpg
  firebrick help evaluate",
    exit_codes!()
);

const EVALUATE_EXAMPLES: &str = "Examples:
  firebrick evaluate runs/my-001
  firebrick evaluate runs/my-001 --checkpoint best --split validation
  firebrick evaluate runs/my-001 --set data.root=/mnt/photos --json";

const PREDICT_EXAMPLES: &str = "Examples:
  firebrick predict runs/my-001 photo.jpg
  firebrick predict runs/my-001 holiday/ --top 1 --json
  firebrick predict resnet50 photo.jpg      by published weights";

const SUMMARY_EXAMPLES: &str = "Examples:
  firebrick summary lenet --num-classes 3
  firebrick summary my.toml
  firebrick summary runs/my-001";

const DEVICES_EXAMPLES: &str = "Example:
  firebrick devices     then train with --backend wgpu, or wgpu:1";

const LOSS_EXAMPLES: &str = "Examples:
  firebrick loss l1 --input '[1, 2, 3]' --target '[1, 2, 5]' --explain
  firebrick loss cross_entropy --input '[[0.1, 0.2, 0.3]]' --target '[1]'
                 --set label_smoothing=0.1 --backward";

const EXPORT_EXAMPLES: &str = "Examples:
  firebrick export runs/my-001 --out weights.safetensors
  firebrick export runs/my-001 --checkpoint best --names torch-sequential";

const VERIFY_EXAMPLES: &str = "Examples:
  firebrick verify runs/my-001
  firebrick verify --replay my.toml
  firebrick verify --against trace.json --config my.toml
                   --set model.weights=start.pt

examples/pytorch/record_trace.py writes a TRACE; docs/beside-pytorch.md says what
one holds. The exit code is 1 where something differs.";

/// Train a convolutional network: without arguments, on the bundled handwritten digits.
#[derive(Debug, Parser)]
#[command(name = "train", version, after_help = TRAIN_BINARY_EXAMPLES)]
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
#[command(name = "firebrick", version, after_help = FIREBRICK_EXAMPLES)]
pub struct FirebrickBinary {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network: without arguments, on the bundled handwritten digits
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(TrainArguments),
    /// Measure a run's network on its test split: loss, accuracy, accuracy of each class
    #[command(after_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArguments),
    /// Tell which class images belong to
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(PredictArguments),
    /// Show a network's layers, output shapes and parameters
    #[command(after_help = SUMMARY_EXAMPLES)]
    Summary(SummaryArguments),
    /// Show which backends this build holds and what they find on this machine
    #[command(after_help = DEVICES_EXAMPLES)]
    Devices(DevicesArguments),
    /// Show or check config files
    #[command(subcommand, after_help = "Example:\n  firebrick config show my.toml")]
    Config(ConfigCommand),
    /// Look at datasets, fetch them, save images of them
    #[command(subcommand, after_help = "Example:\n  firebrick data info cifar10")]
    Data(DataCommand),
    /// Compute a loss, its gradient and its arithmetic
    #[command(after_help = LOSS_EXAMPLES)]
    Loss(LossArguments),
    /// Write a run's weights for other programs
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArguments),
    /// Check that a run's checkpoints are whole, or that training gives recorded losses
    #[command(after_help = VERIFY_EXAMPLES)]
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
