//! `export`: a run's weights as a file for other programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use firebrick::component::text;
use firebrick::models::weights::{NameStyle, save_safetensors};
use firebrick::train::checkpoint::State;
use firebrick::train::trained::TrainedRun;
use firebrick::train::weights_hash::weights_sha256;
use serde_json::json;

use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, refuse_ending, refuse_existing};
use crate::resolve::{RunArguments, cpu_backend};

/// What `export` takes.
#[derive(Debug, Args)]
pub struct ExportArguments {
    #[command(flatten)]
    run: RunArguments,

    /// Format of the file: safetensors, with classes and how images are prepared in the metadata
    #[arg(long, value_enum, default_value_t = ExportFormat::Safetensors, hide_possible_values = true)]
    format: ExportFormat,

    /// Names of the tensors: firebrick (conv1.weight), torch-sequential (0.weight) or torch-named
    /// (conv1.weight), the last two of Tudui with the course's model1. in front
    #[arg(long, value_name = "STYLE", default_value = "firebrick")]
    names: NameStyle,

    /// File to write; it must not exist [default: RUN.safetensors in this folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// torch's layout and names; classes and how images are prepared in the metadata
    Safetensors,
}

/// Writes the file and prints its name.
pub fn run(arguments: &ExportArguments) -> Result<Exit, Failure> {
    let (run, _) = arguments.run.open(Some(&cpu_backend()))?;
    let path = arguments.out.clone().unwrap_or_else(|| default_name(&run.run_dir));
    refuse_ending(&path, "safetensors")?;
    refuse_existing(&path, "--out")?;
    match arguments.format {
        ExportFormat::Safetensors => save_safetensors(&run.model, &path, arguments.names, &metadata(&run))
            .map_err(|error| Failure::storage(error.to_string()))?,
    }
    output::line(text::path(&path))?;
    Ok(Exit::Done)
}

fn default_name(run_dir: &Path) -> PathBuf {
    let name = run_dir.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    PathBuf::from(format!("{name}.safetensors"))
}

/// How images are prepared, as checkpoints say it, with the digits that an f32 needs.
fn preprocess(state: &State) -> String {
    serde_json::to_string(&state.preprocess)
        .unwrap_or_else(|error| unreachable!("bug: a preprocessing that a checkpoint holds: {error}"))
}

/// What somebody needs to use the weights: what comes in, and what the outputs mean.
fn metadata(run: &TrainedRun) -> BTreeMap<String, String> {
    let state = &run.state;
    [
        ("model", run.config.model.network.name().to_owned()),
        ("classes", json!(state.dataset.class_names).to_string()),
        ("input_shape", json!(run.config.model.network.input_shape()).to_string()),
        ("normalization", json!(state.preprocess.normalization).to_string()),
        ("preprocess", preprocess(state)),
        ("dataset", state.dataset.name.clone()),
        ("step", state.progress.position.step.to_string()),
        ("weights_sha256", weights_sha256(&run.model)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}
