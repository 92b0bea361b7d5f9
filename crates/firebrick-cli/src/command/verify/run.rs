//! `verify RUN`: every checkpoint of a run compared with its manifest, byte by byte.

use std::path::{Path, PathBuf};

use firebrick::train::checkpoint::Checkpoint;

use crate::exit::Exit;
use crate::message::Failure;
use crate::output;

/// Prints a line for each checkpoint; a damaged one makes the exit code 4.
pub fn run(run: &Path) -> Result<Exit, Failure> {
    let checkpoints = checkpoints(run)?;
    let mut exit = Exit::Done;
    for path in &checkpoints {
        match Checkpoint::read(path) {
            Ok(checkpoint) => {
                output::line(format!("{}: good, step {}", path.display(), checkpoint.state.position.step))?
            }
            Err(error) => exit = Failure::from(error).report(),
        }
    }
    Ok(exit)
}

fn checkpoints(run: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !run.join("config.toml").is_file() {
        let text = format!("{}: expected a run folder, with config.toml in it", run.display());
        return Err(Failure::storage(text));
    }
    let folder = run.join("checkpoints");
    let failure = |error| Failure::storage(format!("{}: cannot list: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name.starts_with("step-") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Failure::storage(format!("{}: holds no checkpoint yet", folder.display())));
    }
    paths.sort();
    Ok(paths)
}
