//! One run of the real `train` binary, and what its run folder says afterwards.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::failure::Failure;

/// A finished run in a folder that goes away with this value.
pub struct Run {
    records: Vec<Value>,
    /// `summary.json`.
    pub summary: Value,
    folder: TempDir,
}

/// Where the run stands in its folder.
const RUN: &str = "run";

impl Run {
    /// Trains with `config` and the given `--set`s.
    pub fn train(config: &Path, sets: &[(&str, String)], show: bool) -> Result<Self, Failure> {
        Self::train_with(&beside("train")?, config, sets, show)
    }

    /// Trains with another build's binary.
    pub fn train_with(
        binary: &Path,
        config: &Path,
        sets: &[(&str, String)],
        show: bool,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let run_dir = folder.path().join(RUN);
        let mut command = Command::new(binary);
        command.arg("--config").arg(config).arg("--run-dir").arg(&run_dir);
        for (key, value) in sets {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        if !show {
            command.arg("--quiet").stdout(Stdio::null());
        }
        let status = command.status()?;
        if !status.success() {
            return Err(format!("train ended with {status}").into());
        }
        let metrics = std::fs::read_to_string(run_dir.join("metrics.jsonl"))?;
        let records = metrics.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let summary = serde_json::from_str(&std::fs::read_to_string(run_dir.join("summary.json"))?)?;
        Ok(Self { records, summary, folder })
    }

    /// The run's last weights as `firebrick export` writes them, in a file that goes away with this value.
    pub fn exported(&self) -> Result<PathBuf, Failure> {
        let out = self.folder.path().join("weights.safetensors");
        let mut command = Command::new(beside("firebrick")?);
        command.arg("export").arg(self.folder.path().join(RUN));
        command.args(["--names", "torch-named", "--out"]).arg(&out).stdout(Stdio::null());
        let status = command.status()?;
        if !status.success() {
            return Err(format!("firebrick export ended with {status}").into());
        }
        Ok(out)
    }

    /// The loss of each step.
    pub fn losses(&self) -> Result<Vec<f64>, Failure> {
        self.numbers("step", "loss")
    }

    /// One number of each record of a kind.
    pub fn numbers(&self, event: &str, key: &str) -> Result<Vec<f64>, Failure> {
        let of_kind = self.records.iter().filter(|record| record["event"] == event);
        of_kind.map(|record| number(record, key)).collect()
    }

    /// Training speed over the run.
    pub fn images_per_second(&self) -> Result<f64, Failure> {
        number(&self.summary, "images_per_second")
    }

    /// SHA-256 of the last weights, and of the averaged ones if there are any.
    pub fn weights(&self) -> Result<String, Failure> {
        let weights = self.summary["weights_sha256"].as_str().ok_or("summary.json has no weights_sha256")?;
        let ema = self.summary["ema_sha256"].as_str();
        Ok(ema.map_or_else(|| weights.to_owned(), |ema| format!("{weights}, {ema}")))
    }
}

/// A number of a JSON object.
pub fn number(object: &Value, key: &str) -> Result<f64, Failure> {
    object[key].as_f64().ok_or_else(|| format!("{key}: expected a number, got {}", object[key]).into())
}

/// The numbers of a list in a JSON object.
pub fn numbers(object: &Value, key: &str) -> Result<Vec<f64>, Failure> {
    let list =
        object[key].as_array().ok_or_else(|| format!("{key}: expected a list, got {}", object[key]))?;
    let number =
        |value: &Value| value.as_f64().ok_or_else(|| format!("{key}: expected numbers, got {value}").into());
    list.iter().map(number).collect()
}

/// Another binary of this build; `cargo xtask` builds only itself, so the first call builds the rest.
pub fn beside(name: &str) -> Result<PathBuf, Failure> {
    static BUILT: OnceLock<bool> = OnceLock::new();
    if !BUILT.get_or_init(build_binaries) {
        return Err(format!("building {name} failed").into());
    }
    let mut path = std::env::current_exe()?;
    path.set_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(path)
}

fn build_binaries() -> bool {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--bin", "train", "--bin", "firebrick", "--bin", "bench_worker"])
        .current_dir(root());
    // What `cargo run` tells xtask about itself would make build scripts that look at it run again.
    for (key, _) in std::env::vars() {
        if key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(key);
        }
    }
    cargo.status().is_ok_and(|status| status.success())
}

/// The repository.
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root.pop();
    root
}

/// A config of the repository.
pub fn config(name: &str) -> PathBuf {
    root().join("configs").join(name)
}

/// The largest absolute difference between two lists; infinite when their lengths differ.
pub fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() || a.is_empty() {
        return f64::INFINITY;
    }
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
