//! `examples/embedded-program`, built and run as a stranger would: a project of its own, which depends on `firebrick` alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::run::root;

/// What the program must say: it was stopped, it went on to the end, and it predicts.
const EXPECTED: [&str; 3] = ["Stopped after step 60", "Completed after step 184", "class "];

/// Builds and runs it, with the versions of our own `Cargo.lock` and a target folder below ours.
pub fn recipe() -> Result<(), Failure> {
    let project = root().join("examples/embedded-program");
    let run = tempfile::tempdir()?;
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock"))?;
    let result = build_and_run(&project, run.path());
    // It is a copy, which cargo has shortened.
    fs::remove_file(project.join("Cargo.lock"))?;
    result
}

fn build_and_run(project: &Path, run: &Path) -> Result<(), Failure> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--manifest-path"]).arg(project.join("Cargo.toml"));
    cargo.env("CARGO_TARGET_DIR", root().join("target/embedded")).current_dir(run);
    let output = cargo.output()?;
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    print!("{said}");
    if !output.status.success() {
        return Err(format!("the program ended with {}:\n{told}", output.status).into());
    }
    if let Some(missing) = EXPECTED.iter().find(|expected| !said.contains(**expected)) {
        return Err(format!("expected it to say `{missing}`").into());
    }
    Ok(())
}
