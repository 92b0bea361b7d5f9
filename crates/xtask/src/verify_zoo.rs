//! `firebrick verify --against` three recorded training steps of each published network.
//!
//! `crates/firebrick-models/tests/golden/record_zoo.py` records them in PyTorch with `examples/pytorch/record_trace.py`.

use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;

use crate::failure::Failure;
use crate::parity_zoo::{TIMES_PYTORCH, has_argument, published_names};
use crate::run::{beside, root};

/// Of losses, and of norms relative to those above 1: what `firebrick verify` takes by default.
const TOLERANCE: f64 = 2e-4;

#[derive(Args)]
pub struct VerifyZooArguments {
    /// Networks to verify; all published ones when absent
    names: Vec<String>,
    /// Side of the images; CIFAR's networks take 32
    #[arg(long, default_value_t = 96)]
    size: usize,
    /// Images of a step
    #[arg(long, default_value_t = 8)]
    batch_size: usize,
    /// A Python with torch, torchvision and safetensors (and efficientnet-lite-pytorch for efficientnet_lite0)
    #[arg(long, default_value = "python3")]
    python: String,
}

pub fn recipe(arguments: &VerifyZooArguments) -> Result<(), Failure> {
    let names = if arguments.names.is_empty() { published_names() } else { arguments.names.clone() };
    let firebrick = beside("firebrick")?;
    println!(
        "| network | images of | PyTorch's f32 from its f64 | tolerance | verify |\n|---|---|---|---|---|"
    );
    let mut failed = Vec::new();
    for name in names {
        let size = match name.as_str() {
            "resnet20" | "resnet56" | "resnet110" | "airbench94" => 32,
            _ => arguments.size,
        };
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(&arguments.python);
        command.arg(root().join("crates/firebrick-models/tests/golden/record_zoo.py"));
        command.arg(&name).arg(folder.path());
        command.args([size, arguments.batch_size].map(|number| number.to_string()));
        let own = own_distance(&mut command)?;
        let tolerance = TOLERANCE.max(TIMES_PYTORCH * own);
        let config = folder.path().join("config.toml");
        std::fs::write(&config, config_text(&name, size, arguments.batch_size, folder.path())?)?;
        let mut command = Command::new(&firebrick);
        command.arg("verify").arg("--against").arg(folder.path().join("trace.json"));
        command.arg("--config").arg(&config).arg("--tolerance").arg(tolerance.to_string());
        let done = command.stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8_lossy(&done.stdout);
        let verdict = text.lines().rev().find(|line| !line.is_empty()).unwrap_or("nothing");
        // The path of the recording says nothing here.
        let verdict = verdict.replace(&folder.path().join("trace.json").display().to_string(), "PyTorch");
        println!("| `{name}` | {size} | {own:.1e} | {tolerance:.1e} | {verdict} |");
        if !done.status.success() {
            failed.push(name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("different from PyTorch: {}", failed.join(", ")).into()),
    }
}

/// How far PyTorch's recorded steps are from the same in f64: its script prints it.
fn own_distance(command: &mut Command) -> Result<f64, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{program}: {error}"))?;
    if !done.status.success() {
        return Err(format!("{program} ended with {}", done.status).into());
    }
    let text = String::from_utf8_lossy(&done.stdout);
    text.trim().parse().map_err(|error| format!("{program}: expected a number, got `{text}`: {error}").into())
}

fn config_text(name: &str, size: usize, batch_size: usize, folder: &Path) -> Result<String, Failure> {
    let mut off = String::new();
    for key in ["dropout", "drop_path"] {
        if has_argument(name, key)? {
            off += &format!("{key} = 0.0\n");
        }
    }
    let path = |name: &str| toml::Value::String(folder.join(name).display().to_string());
    Ok(format!(
        "[model]\nname = \"{name}\"\nnum_classes = 7\ninput_shape = [3, {size}, {size}]\nweights = {}\n{off}\n\
         [data]\ndataset = \"image_folder\"\nroot = {}\nbatch_size = {batch_size}\nshuffle = false\nnormalize = \"none\"\n\n\
         [loss]\nname = \"cross_entropy\"\n\n\
         [optimizer]\nname = \"sgd\"\nlr = 1e-4\nmomentum = 0.9\n\n\
         [trainer]\nepochs = 1\nbackend = \"flex\"\n",
        path("start.pt"),
        path("images"),
    ))
}
