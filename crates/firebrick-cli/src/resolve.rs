//! From what was said to what is meant: configs read, runs opened.

use std::path::{Path, PathBuf};

use clap::Args;
use firebrick::component::{Family, text};
use firebrick::models::ModelConfig;
use firebrick::train::Config;
use firebrick::train::backend::{Backend, BackendChoice, BackendName};
use firebrick::train::checkpoint::Which;
use firebrick::train::config::Override;
use firebrick::train::event::WeightsKind;
use firebrick::train::run_folder::{found_from_run, recorded_config};
use firebrick::train::trained::TrainedRun;

use crate::console::say;
use crate::message::{Failure, warning};
use crate::style::Style;

/// The config that runs when none is named; compiled in, so that it does from any folder. A link to `configs/`.
const QUICKSTART: &str = include_str!("../quickstart.toml");

/// The config in a run's folder, if it is one.
fn config_in(run_dir: &Path) -> Option<PathBuf> {
    let file = run_dir.join("config.toml");
    file.is_file().then_some(file)
}

/// The config of the run that `path` belongs to: a run's folder, or `checkpoints/step-...` in one.
pub fn config_beside(path: &Path) -> Option<PathBuf> {
    let checkpoints =
        || path.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "checkpoints"));
    config_in(path).or_else(|| config_in(checkpoints()?.parent()?))
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

/// Lets a run's data be found from the folder in which the run was begun, when it is not to be found from here.
pub fn find_data(run: &Path, config: &mut Config) {
    let beside_checkpoint = run.parent().and_then(Path::parent);
    let run_dirs = [Some(run), beside_checkpoint].into_iter().flatten();
    if let Some(root) = run_dirs.filter_map(|run_dir| found_from_run(run_dir, &config.data.root)).next() {
        config.data.root = root;
    }
}

/// Which run's network is meant.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Run folder, as in runs/quickstart-001, or one of its checkpoint folders
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Which checkpoint: latest, best, or a checkpoint's folder [default: latest]
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<String>,

    /// Take the averaged weights of a run with trainer.ema
    #[arg(long)]
    ema: bool,
}

impl RunArguments {
    /// A run's newest checkpoint.
    pub fn of(run: &Path) -> Self {
        Self { run: run.to_owned(), checkpoint: None, ema: false }
    }

    /// The name of a network, where one is named and no folder of that name is there.
    pub fn network(&self) -> Option<&str> {
        let name = self.run.to_str().filter(|_| !self.run.exists())?;
        ModelConfig::names().contains(&name).then_some(name)
    }

    /// Refuses what only a run has, for a network that is named.
    ///
    /// # Errors
    ///
    /// `--checkpoint` and `--ema`.
    pub fn refuse_parts_of_a_run(&self) -> Result<(), Failure> {
        let given = [(self.checkpoint.is_some(), "--checkpoint"), (self.ema, "--ema")];
        match given.into_iter().find(|(is_given, _)| *is_given) {
            Some((_, flag)) => Err(Failure::usage(format!(
                "{flag} goes with a run's folder, and {} is the name of a network",
                text::path(&self.run)
            ))),
            None => Ok(()),
        }
    }

    /// Opens the network on the backend it was trained on, or another.
    ///
    /// # Errors
    ///
    /// A backend that cannot be used, and a run that cannot be read.
    pub fn open(&self, backend: Option<&str>) -> Result<(TrainedRun, Backend), Failure> {
        let which = self.which()?;
        let backend = match (backend, recorded_config(&self.run)?) {
            (Some(name), _) => name.to_owned(),
            (None, Some((text, place))) => Config::from_toml(&place, &text, &[])?.trainer.backend,
            // The run that is not there is what should be complained about, not a backend.
            (None, None) => cpu_backend(),
        };
        let backend = backend.parse::<BackendChoice>()?.open()?;
        let weights = if self.ema { WeightsKind::Ema } else { WeightsKind::Raw };
        let opened = TrainedRun::open(&self.run, which, weights, &backend.device)?;
        for notice in &opened.notices {
            say(&warning(notice, Style::stderr()));
        }
        Ok((opened, backend))
    }
}

impl RunArguments {
    fn which(&self) -> Result<Which, Failure> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(Which::Latest) };
        if config_in(&self.run).is_none() && config_beside(&self.run).is_some() {
            let run = text::path(&self.run);
            let text = format!(
                "--checkpoint {} has no effect beside {run}, which is a checkpoint itself",
                text::one_line(checkpoint)
            );
            return Err(Failure::usage(text).hint("name the run's folder, or leave --checkpoint out"));
        }
        Ok(match checkpoint.as_str() {
            "latest" => Which::Latest,
            "best" => Which::Best,
            path => Which::Folder(path.into()),
        })
    }
}

/// A backend that every machine has, for what needs no speed.
pub fn cpu_backend() -> String {
    BackendName::cpu().map_or("auto", BackendName::as_str).to_owned()
}
