//! From what was said to what is meant: configs read, defaults filled in, contradictions refused.

use std::path::{Path, PathBuf};

use firebrick::data::{DataConfig, DatasetName};
use firebrick::train::Config;
use firebrick::train::backend::{Backend, BackendChoice};
use firebrick::train::checkpoint::Which;
use firebrick::train::config::Override;
use firebrick::train::event::WeightsKind;
use firebrick::train::run_folder::{Resume, RunLocation};
use firebrick::train::trained::TrainedRun;

use crate::args::{DatasetArguments, LogFormat, TrainArguments};
use crate::log::Format;
use crate::message::{Failure, warning};
use crate::style::{Style, listed};

/// The config that runs when none is named; compiled in, so that it does from any folder.
const QUICKSTART: &str = include_str!("../../../configs/quickstart.toml");

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
    pub fn resolve(self) -> Result<TrainRequest, Failure> {
        self.refuse_stray()?;
        let location = location(self.run_dir, self.resume)?;
        let mut overrides = overrides(&self.set)?;
        if let Some(backend) = &self.backend {
            let _: BackendChoice = backend.parse()?;
            overrides.push(Override::new("trainer.backend", backend));
        }
        let file = self.config.or_else(|| config_of_run(&location));
        let (config, name) = read_config(file.as_deref(), &overrides)?;
        Ok(TrainRequest { config, name, location, format: Format::choose(self.quiet, self.log_format) })
    }
}

impl TrainArguments {
    fn refuse_stray(&self) -> Result<(), Failure> {
        let Some(stray) = &self.stray else { return Ok(()) };
        let stray = stray.display();
        let refused = Failure::usage(format!("unexpected argument `{stray}`"));
        Err(match self.resume {
            Some(None) => refused.hint(format!("a run is named with an equals sign: --resume={stray}")),
            _ => refused.hint(format!("a config is named by its flag: --config {stray}")),
        })
    }
}

impl Format {
    /// A bar where somebody can see it move, lines elsewhere, unless told otherwise.
    fn choose(quiet: bool, asked: Option<LogFormat>) -> Self {
        match asked {
            _ if quiet => Self::Quiet,
            Some(LogFormat::Json) => Self::Json,
            Some(LogFormat::Text) => Self::Lines,
            None => Self::for_people(),
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
        Resume::From(path) => config_beside(path),
    }
}

fn config_in(run_dir: &Path) -> Option<PathBuf> {
    let file = run_dir.join("config.toml");
    file.is_file().then_some(file)
}

/// `path` may be a run's folder, or `checkpoints/step-...` in one.
fn config_beside(path: &Path) -> Option<PathBuf> {
    config_in(path).or_else(|| config_in(path.parent()?.parent()?))
}

/// The overrides of `--set`, checked for their form.
pub fn overrides(set: &[String]) -> Result<Vec<Override>, Failure> {
    set.iter().map(|argument| argument.parse().map_err(Failure::from)).collect()
}

/// A config and what its runs are called; the compiled-in one when there is no file.
pub fn read_config(file: Option<&Path>, overrides: &[Override]) -> Result<(Config, String), Failure> {
    let Some(file) = file else {
        let config = Config::from_toml("configs/quickstart.toml", QUICKSTART, overrides)?;
        return Ok((config, "quickstart".to_owned()));
    };
    let config = Config::from_file(file, overrides)?;
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("run");
    Ok((config, stem.to_owned()))
}

/// Opens a run's network on the backend it was trained on, or another.
pub fn open_run(
    run: &Path,
    checkpoint: &str,
    ema: bool,
    backend: Option<&str>,
) -> Result<(TrainedRun, Backend), Failure> {
    let which = match checkpoint {
        "latest" => Which::Latest,
        "best" => Which::Best,
        path => Which::Folder(path.into()),
    };
    let backend = match (backend, config_beside(run)) {
        (Some(name), _) => name.to_owned(),
        (None, Some(file)) => Config::from_file(&file, &[])?.trainer.backend,
        // The run that is not there is what should be complained about, not a backend.
        (None, None) => cpu_backend(),
    };
    let backend = backend.parse::<BackendChoice>()?.open()?;
    let weights = if ema { WeightsKind::Ema } else { WeightsKind::Raw };
    let opened = TrainedRun::open(run, which, weights, &backend.device)?;
    for notice in &opened.notices {
        crate::log::say(&warning(notice, Style::stderr()));
    }
    Ok((opened, backend))
}

/// A backend that every machine has, for what needs no speed.
pub fn cpu_backend() -> String {
    use firebrick::train::backend::BackendName;
    BackendName::cpu().map_or("auto", BackendName::as_str).to_owned()
}

impl DatasetArguments {
    /// The `[data]` table that is meant, without augmentation.
    pub fn resolve(&self) -> Result<DataConfig, Failure> {
        let mut config = match dataset_name(&self.dataset) {
            Some(name) => DataConfig::new(name),
            None if self.dataset.ends_with(".toml") => Config::from_file(Path::new(&self.dataset), &[])?.data,
            None => {
                let names = listed(DatasetName::NAMES.iter().copied());
                let text =
                    format!("unknown dataset `{}`, expected one of {names}, or a config file", self.dataset);
                return Err(Failure::usage(text));
            }
        };
        if let Some(root) = &self.root {
            config.root.clone_from(root);
        }
        config.augment.clear();
        Ok(config)
    }
}

fn dataset_name(text: &str) -> Option<DatasetName> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}
