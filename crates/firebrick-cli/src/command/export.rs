//! `export`: a run's weights as a file for other programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebrick::models::weights::save_safetensors;
use firebrick::train::trained::TrainedRun;
use firebrick::train::weights_hash::weights_sha256;
use serde_json::json;

use crate::args::{ExportArguments, ExportFormat};
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::{cpu_backend, open_run};

/// Writes the file and prints its name.
pub fn run(arguments: &ExportArguments) -> Result<Exit, Failure> {
    let (run, _) = open_run(&arguments.run, &arguments.checkpoint, arguments.ema, Some(&cpu_backend()))?;
    let path = arguments.out.clone().unwrap_or_else(|| default_name(&run.run_dir));
    refuse_existing(&path)?;
    match arguments.format {
        ExportFormat::Safetensors => save_safetensors(&run.model, &path, arguments.names, &metadata(&run))
            .map_err(|error| Failure::storage(error.to_string()))?,
    }
    output::line(path.display())?;
    Ok(Exit::Done)
}

/// A file that is there may be somebody's only copy.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let text = format!("{}: expected no file of this name, found one", path.display());
    Err(Failure::storage(text).hint("name another with --out, or remove it"))
}

fn default_name(run_dir: &Path) -> PathBuf {
    let name = run_dir.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    PathBuf::from(format!("{name}.safetensors"))
}

/// What somebody needs to use the weights: what comes in, and what the outputs mean.
fn metadata(run: &TrainedRun) -> BTreeMap<String, String> {
    let state = &run.state;
    [
        ("model", run.config.model.network.name().to_owned()),
        ("classes", json!(state.dataset.class_names).to_string()),
        ("input_shape", json!(run.config.model.network.input_shape()).to_string()),
        ("normalization", json!(state.preprocess.normalization).to_string()),
        ("dataset", state.dataset.name.clone()),
        ("step", state.progress.position.step.to_string()),
        ("weights_sha256", weights_sha256(&run.model)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}
