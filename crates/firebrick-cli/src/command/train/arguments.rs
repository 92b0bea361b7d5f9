//! What `train` takes, and what that means.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use firebrick::train::Config;
use firebrick::train::backend::BackendChoice;
use firebrick::train::config::Override;
use firebrick::train::run_folder::{Resume, RunLocation};

use crate::console::Format;
use crate::message::Failure;
use crate::resolve::{config_beside, config_in, overrides, read_config};

/// What `train` takes.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Config to train by [default: the compiled-in configs/quickstart.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where to compute: ndarray, flex, wgpu, cuda, ... with an optional :INDEX, or auto
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,

    /// Change a key of the config, as in --set optimizer.lr=0.1; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    set: Vec<String>,

    /// The run's own folder [default: a new one, runs/CONFIG-001, -002, ...]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// Go on with a run: RUN, a run or checkpoint folder; otherwise the one in --run-dir, or the
    /// newest of this config. Without --config, by the run's own config
    #[arg(long, value_name = "RUN", require_equals = true, num_args = 0..=1)]
    resume: Option<Option<PathBuf>>,

    /// Say nothing but warnings, errors and the result
    #[arg(long, short, conflicts_with = "log_format")]
    quiet: bool,

    /// How progress is told: text, lines on standard error; or json, one object an event on standard
    /// output and nothing else there [default: a bar on a terminal, otherwise text]
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    log_format: Option<LogFormat>,

    /// Nothing belongs here, but `--resume RUN` and `train FILE` deserve a better answer than clap's
    #[arg(hide = true)]
    stray: Option<PathBuf>,
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines on standard error, also on a terminal
    Text,
    /// One JSON object an event on standard output, and nothing else there
    Json,
}

/// A run that is to be trained.
#[derive(Debug)]
pub struct TrainRequest {
    /// Everything that decides its numbers.
    pub config: Config,
    /// What new run folders are called after.
    pub name: String,
    /// Where it is written, and what it goes on from.
    pub location: RunLocation,
    /// How its progress is told.
    pub format: Format,
}

impl TrainArguments {
    /// Reads the config and settles where the run goes.
    ///
    /// # Errors
    ///
    /// Contradictions, and a config that cannot be read.
    pub fn resolve(self) -> Result<TrainRequest, Failure> {
        self.refuse_stray()?;
        let format = self.format();
        let location = location(self.run_dir, self.resume)?;
        let mut overrides = overrides(&self.set)?;
        if let Some(backend) = &self.backend {
            let _: BackendChoice = backend.parse()?;
            overrides.push(Override::new("trainer.backend", backend));
        }
        let file = self.config.or_else(|| config_of_run(&location));
        let (config, name) = read_config(file.as_deref(), &overrides)?;
        Ok(TrainRequest { config, name, location, format })
    }

    fn refuse_stray(&self) -> Result<(), Failure> {
        let Some(stray) = &self.stray else { return Ok(()) };
        let stray = stray.display();
        let refused = Failure::usage(format!("unexpected argument `{stray}`"));
        Err(match self.resume {
            Some(None) => refused.hint(format!("a run is named with an equals sign: --resume={stray}")),
            Some(Some(_)) | None => refused.hint(format!("a config is named by its flag: --config {stray}")),
        })
    }

    /// A bar where somebody can see it move, lines elsewhere, unless told otherwise.
    fn format(&self) -> Format {
        match self.log_format {
            _ if self.quiet => Format::Quiet,
            Some(LogFormat::Json) => Format::Json,
            Some(LogFormat::Text) => Format::Lines,
            None => Format::for_people(),
        }
    }
}

fn location(run_dir: Option<PathBuf>, resume: Option<Option<PathBuf>>) -> Result<RunLocation, Failure> {
    let resume = match (resume, &run_dir) {
        (None, _) => Resume::Fresh,
        (Some(None), _) => Resume::Latest,
        (Some(Some(run)), None) => Resume::From(run),
        (Some(Some(run)), Some(run_dir)) => {
            let text = format!(
                "--resume={} and --run-dir {} both name a run, expected one of them",
                run.display(),
                run_dir.display()
            );
            return Err(
                Failure::usage(text).hint("leave --run-dir out: a resumed run stays in its own folder")
            );
        }
    };
    Ok(RunLocation { run_dir, resume })
}

/// The config of the run that is gone on with, where the command line says which run that is.
fn config_of_run(location: &RunLocation) -> Option<PathBuf> {
    match &location.resume {
        Resume::Fresh => None,
        Resume::Latest => config_in(location.run_dir.as_deref()?),
        Resume::From(path) => config_beside(Path::new(path)),
    }
}
