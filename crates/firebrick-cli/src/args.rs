//! What was said on the command line, not yet what it means: nothing here touches a file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use firebrick::models::weights::NameStyle;

use crate::command::config::PlotLrArguments;
use crate::command::loss::LossArguments;
use crate::command::verify::AgainstArguments;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 training diverged or a comparison failed, 2 wrong arguments or config, 3 data, \
4 storage or checkpoint, 130 stopped by Ctrl-C and 143 by SIGTERM, with a checkpoint saved.";

/// Train a convolutional network: without arguments, on the bundled handwritten digits.
#[derive(Debug, Parser)]
#[command(name = "train", version, after_help = EXIT_CODES)]
pub struct TrainBinary {
    #[command(flatten)]
    pub arguments: TrainArguments,
}

/// Train convolutional networks, and use what was trained.
#[derive(Debug, Parser)]
#[command(name = "firebrick", version, after_help = EXIT_CODES)]
pub struct FirebrickBinary {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
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

/// What `train` takes.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Config to train by [default: the compiled-in configs/quickstart.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where to compute: ndarray, flex, wgpu, cuda, ... with an optional :INDEX, or auto
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,

    /// Change a key of the config, as in --set optimizer.lr=0.1; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    pub set: Vec<String>,

    /// The run's own folder [default: a new one, runs/CONFIG-001, -002, ...]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,

    /// Go on with a run: RUN, a run or checkpoint folder; otherwise the one in --run-dir, or the
    /// newest of this config. Without --config, by the run's own config
    #[arg(long, value_name = "RUN", require_equals = true, num_args = 0..=1)]
    pub resume: Option<Option<PathBuf>>,

    /// Say nothing but warnings, errors and the result
    #[arg(long, short, conflicts_with = "log_format")]
    pub quiet: bool,

    /// How progress is told [default: a bar on a terminal, otherwise text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Nothing belongs here, but `--resume RUN` and `train FILE` deserve a better answer than clap's
    #[arg(hide = true)]
    pub stray: Option<PathBuf>,
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines on standard error, also on a terminal
    Text,
    /// One JSON object an event on standard output, and nothing else there
    Json,
}

/// What `evaluate` takes.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub run: RunArguments,

    /// Change a key of the run's config, as in --set data.root=/mnt/data; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    pub set: Vec<String>,

    /// Print one JSON object, with the confusion matrix
    #[arg(long)]
    pub json: bool,
}

/// Which network is meant.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Run folder, as in runs/quickstart-001, or one of its checkpoint folders
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Which checkpoint: latest, best, or a checkpoint's folder
    #[arg(long, value_name = "WHICH", default_value = "latest")]
    pub checkpoint: String,

    /// Where to compute [default: as in training]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,

    /// Take the averaged weights of a run with trainer.ema
    #[arg(long)]
    pub ema: bool,
}

/// What `predict` takes.
#[derive(Debug, Args)]
pub struct PredictArguments {
    #[command(flatten)]
    pub run: RunArguments,

    /// Image files: PNG, JPEG, BMP, GIF, PNM, TIFF or WebP
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,

    /// How many classes to show, the most probable first
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,

    /// Print one JSON object a line, for each image
    #[arg(long)]
    pub json: bool,
}

/// What `summary` takes.
#[derive(Debug, Args)]
pub struct SummaryArguments {
    /// Name of a network, with 10 classes unless --num-classes says otherwise
    #[arg(value_name = "MODEL", conflicts_with = "config")]
    pub model: Option<String>,

    /// Config whose [model] to show [default: the compiled-in configs/quickstart.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Classes of MODEL
    #[arg(long, value_name = "N", requires = "model", default_value_t = 10)]
    pub num_classes: usize,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `devices` takes.
#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What to do with a config.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a config with every default spelled out
    Show {
        /// Config file [default: the compiled-in configs/quickstart.toml]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Change a key, as in --set optimizer.lr=0.1; may be repeated
        #[arg(long, value_name = "KEY.PATH=VALUE")]
        set: Vec<String>,
    },
    /// Check config files; data and devices are not looked at
    Check {
        /// Config files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Draw the learning rate over the run
    PlotLr(PlotLrArguments),
}

/// What to do with a dataset.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Read every image and show counts, shapes and classes
    Info {
        #[command(flatten)]
        dataset: DatasetArguments,

        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Fetch a dataset from its official place, and verify it
    Download {
        #[command(flatten)]
        dataset: DatasetArguments,
    },
    /// Save one image as PNG, for example to try `predict` on
    Export {
        #[command(flatten)]
        dataset: DatasetArguments,

        /// Which split
        #[arg(long, value_enum, default_value_t = Split::Test)]
        split: Split,

        /// Which image of the split, from 0
        #[arg(long, value_name = "N", default_value_t = 0)]
        index: usize,

        /// File to write; it must not exist [default: DATASET-SPLIT-N.png]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Which dataset is meant.
#[derive(Debug, Args)]
pub struct DatasetArguments {
    /// Name of a dataset (digits, mnist, cifar10, ...) or a config file
    #[arg(value_name = "DATASET")]
    pub dataset: String,

    /// Folder with its files [default: data, or what the config says]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// A half of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// What is trained on
    Train,
    /// What is tested on
    Test,
}

impl Split {
    /// As the config spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// What `export` takes.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Run folder, as in runs/quickstart-001, or one of its checkpoint folders
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Which checkpoint: latest, best, or a checkpoint's folder
    #[arg(long, value_name = "WHICH", default_value = "latest")]
    pub checkpoint: String,

    /// Take the averaged weights of a run with trainer.ema
    #[arg(long)]
    pub ema: bool,

    /// Format of the file
    #[arg(long, value_enum, default_value_t = ExportFormat::Safetensors)]
    pub format: ExportFormat,

    /// Names of the tensors: firebrick (conv1.weight), torch-sequential (model1.0.weight) or
    /// torch-named (model1.conv1.weight)
    #[arg(long, value_name = "STYLE", default_value = "firebrick")]
    pub names: NameStyle,

    /// File to write; it must not exist [default: RUN.safetensors in this folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// torch's layout and names; classes, input size and normalisation in the metadata
    Safetensors,
}

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Run folder, as in runs/quickstart-001
    #[arg(value_name = "RUN", required_unless_present_any = ["against", "replay"], conflicts_with = "against")]
    pub run: Option<PathBuf>,

    /// Train a short run of CONFIG twice, without a stop and with several, and compare the bits
    #[arg(long, value_name = "CONFIG", conflicts_with_all = ["run", "against"])]
    pub replay: Option<PathBuf>,

    #[command(flatten)]
    pub against: AgainstArguments,
}
