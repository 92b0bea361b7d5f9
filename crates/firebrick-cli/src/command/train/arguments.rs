//! What `train` takes, and what that means.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use firebrick::component::text;
use firebrick::train::Config;
use firebrick::train::backend::BackendChoice;
use firebrick::train::config::Override;
use firebrick::train::recipe::{Recipe, RecipeOptions};
use firebrick::train::run_folder::{Resume, RunLocation, recorded_config};

use crate::attended::{Attended, NetworkArgument};
use crate::command::train::folder;
use crate::console::Format;
use crate::message::Failure;
use crate::resolve::{find_data, overrides, read_config};
use crate::shell;

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
    /// newest of this config. Without --config, by the run's own config. From an earlier checkpoint, in
    /// a new folder, or --run-dir
    #[arg(long, value_name = "RUN", require_equals = true, num_args = 0..=1)]
    resume: Option<Option<PathBuf>>,

    #[command(flatten)]
    pub network: NetworkArgument,

    /// Say nothing but warnings, errors and the result
    #[arg(long, short, conflicts_with = "log_format")]
    quiet: bool,

    /// How progress is told: text, lines on standard error; or json, one object an event on standard
    /// output and nothing else there [default: a bar on a terminal, otherwise text]
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    log_format: Option<LogFormat>,

    /// With FOLDER: begin with random weights, though published ones could be had
    #[arg(long, requires = "folder")]
    from_scratch: bool,

    /// Photos to learn from, FOLDER/<class>/* or FOLDER/train/<class>/*: makes a config for them, and tells it
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
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
    /// The config that was made for a folder, and what `--set` changed of it.
    pub recipe: Option<(Recipe, Vec<Override>)>,
}

impl TrainArguments {
    /// Reads the config, or makes one for a folder, and settles where the run goes.
    ///
    /// # Errors
    ///
    /// Contradictions, a folder that holds no photos, and a config that cannot be read.
    pub fn resolve(self, attended: &Attended) -> Result<TrainRequest, Failure> {
        self.refuse_stray()?;
        let options = RecipeOptions { from_scratch: self.from_scratch };
        let location = location(self.run_dir, self.resume)?;
        let mut overrides = overrides(&self.set)?;
        refuse_idle(&overrides, &location, self.backend.as_deref())?;
        let is_weights = |one: &&Override| one.keys() == ["model", "weights"];
        if let Some(one) = overrides.iter().find(is_weights).filter(|_| self.from_scratch) {
            let what = format!("--set {} has no effect beside --from-scratch", one.argument());
            return Err(Failure::usage(what).hint("leave one of them out"));
        }
        let set = overrides.clone();
        if let Some(backend) = &self.backend {
            let _: BackendChoice = backend.parse()?;
            overrides.push(Override::new("trainer.backend", backend));
        }
        if let Some(folder) = &self.folder {
            let recipe = Recipe::for_folder(folder, &overrides, options, &attended.progress());
            let recipe = attended.finish(recipe)?;
            let (config, name) = (recipe.config.clone(), recipe.name.clone());
            return Ok(TrainRequest { config, name, location, recipe: Some((recipe, set)) });
        }
        let own = if self.config.is_some() { None } else { config_of_run(&location)? };
        let (config, name) = match own {
            Some((run, text, place)) => {
                (read_config_of_run(&run, &text, &place, &overrides)?, "config".to_owned())
            }
            None => read_config(self.config.as_deref(), &overrides)?,
        };
        Ok(TrainRequest { config, name, location, recipe: None })
    }

    /// What stands in the folder's place has to be one, and nothing beside it may say what is trained.
    fn refuse_stray(&self) -> Result<(), Failure> {
        let Some(folder) = &self.folder else { return Ok(()) };
        folder::refuse_others(folder, matches!(self.resume, Some(None)))?;
        let word = shell::path(folder);
        let both = |other: &str, hint: String| {
            let what =
                format!("{other} and the folder {word} both say what is trained, expected one of them");
            Err(Failure::usage(what).hint(hint))
        };
        match (&self.config, &self.resume) {
            (Some(_), _) => {
                both("--config", format!("to train by the config on this folder: --set data.root={word}"))
            }
            (None, Some(Some(_))) => {
                both("--resume=RUN", "a run goes on with its own data: leave the folder out".to_owned())
            }
            (None, _) => Ok(()),
        }
    }

    /// A bar where somebody can see it move, lines elsewhere, unless told otherwise.
    pub fn format(&self) -> Format {
        match self.log_format {
            _ if self.quiet => Format::Quiet,
            Some(LogFormat::Json) => Format::Json,
            Some(LogFormat::Text) => Format::Lines,
            None => Format::for_people(),
        }
    }
}

/// Refuses a `--set` that another argument makes idle.
fn refuse_idle(overrides: &[Override], location: &RunLocation, backend: Option<&str>) -> Result<(), Failure> {
    let given = |table: &str, key: Option<&str>| {
        let mut overrides = overrides.iter();
        overrides.find(|one| match one.keys().as_slice() {
            [first, second, ..] => first == table && key.is_none_or(|key| key == second),
            [first] => first == table && key.is_none(),
            [] => false,
        })
    };
    let idle = |one: &Override, beside: &str, hint: &str| {
        Err(Failure::usage(format!("--set {} has no effect beside {beside}", one.argument())).hint(hint))
    };
    if let (Some(one), Some(_)) = (given("trainer", Some("backend")), backend) {
        return idle(one, "--backend", "say it once");
    }
    match (given("output", None), &location.run_dir, &location.resume) {
        (Some(one), Some(_), _) => idle(one, "--run-dir", "--run-dir is the run's whole path"),
        (Some(one), None, Resume::From(_)) => idle(one, "--resume", "a resumed run stays in its own folder"),
        _ => Ok(()),
    }
}

fn location(run_dir: Option<PathBuf>, resume: Option<Option<PathBuf>>) -> Result<RunLocation, Failure> {
    let resume = match (resume, &run_dir) {
        (None, _) => Resume::Fresh,
        (Some(None), _) => Resume::Latest,
        (Some(Some(run)), Some(run_dir)) if !is_checkpoint(&run) => {
            let text = format!(
                "--resume={} and --run-dir {} both name a run, expected one of them",
                text::path(&run),
                text::path(run_dir)
            );
            return Err(Failure::usage(text).hint(
                "leave --run-dir out: a resumed run stays in its own folder; to branch off, name one of its checkpoints",
            ));
        }
        (Some(Some(run)), _) => Resume::From(run),
    };
    Ok(RunLocation { run_dir, resume })
}

/// Whether a path has the name of a checkpoint's folder.
fn is_checkpoint(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"step-"))
}

/// The folder of the run that is gone on with and its own config, where the command line says which run that is.
fn config_of_run(location: &RunLocation) -> Result<Option<(PathBuf, String, String)>, Failure> {
    let run_dir = location.run_dir.as_deref();
    let named = match &location.resume {
        Resume::Fresh => None,
        Resume::Latest => run_dir,
        Resume::From(path) if path.exists() => Some(path.as_path()),
        // A branch goes on without the run that it came from.
        Resume::From(_) => run_dir,
    };
    let Some(named) = named else { return Ok(None) };
    let recorded = recorded_config(named)?;
    Ok(recorded.map(|(text, place)| (named.to_owned(), text, place)))
}

/// A run's own config, changed by `--set`; data that is found from where the run was begun, and not from here, is taken
/// from there.
fn read_config_of_run(
    run: &Path,
    text: &str,
    place: &str,
    overrides: &[Override],
) -> Result<Config, Failure> {
    let own = Config::from_toml(place, text, &[]).map_err(|error| {
        Failure::storage(error.to_string()).hint(format!(
            "this is what the run records of its config; if the file is damaged, move it away: --resume={} then takes \
             the config from the newest checkpoint",
            run.display()
        ))
    })?;
    let mut config = Config::from_toml(place, text, overrides)?;
    if config.data.root == own.data.root {
        find_data(run, &mut config);
    }
    Ok(config)
}
