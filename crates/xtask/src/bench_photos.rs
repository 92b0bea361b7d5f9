//! `cargo xtask bench-cpu --photos`: training steps of published networks on photos of 224 by 224 pixels, beside PyTorch in its
//! plain f32 mode, channels_last, channels_last with `torch.compile`, and channels_last with bf16 autocast.
//!
//! A row has the speeds in images/s and each process's peak memory (Linux's `VmHWM`) in MB. The peak of `torch.compile`
//! holds its compiler, too.

use std::path::Path;
use std::process::Command;

use crate::bench_cpu_arguments::BenchCpuArguments;
use crate::failure::Failure;
use crate::run::{beside, root};
use crate::worker::Worker;

const NETWORKS: [&str; 5] = ["resnet18", "resnet50", "mobilenet_v2", "efficientnet_lite0", "convnext_tiny"];

const BATCH: usize = 16;

/// PyTorch's modes; those but the last are f32.
const MODES: [&str; 4] = ["f32", "channels_last", "compile", "bf16"];

/// A turn takes about this long, in seconds; a step at least.
pub const TURN_S: f64 = 1.0;

/// Prints the table.
pub fn recipe(arguments: &BenchCpuArguments) -> Result<(), Failure> {
    println!(
        "| network | threads | ours, images/s (peak MB) | spread | PyTorch | channels_last | compile | bf16 | ours / best f32 | ours / bf16 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let binary = beside("bench_worker")?;
    let modes: Vec<&str> = match &arguments.modes {
        Some(modes) => MODES.into_iter().filter(|mode| modes.iter().any(|wanted| wanted == mode)).collect(),
        None => MODES.into(),
    };
    let is_wanted = |network: &str| arguments.only.as_ref().is_none_or(|only| only == network);
    for network in NETWORKS.into_iter().filter(|network| is_wanted(network)) {
        for &threads in &arguments.threads {
            let row = row(&binary, network, threads, &modes, arguments)?;
            println!("| {network} | {threads} | {row} |");
        }
    }
    Ok(())
}

/// The cells behind network and threads.
fn row(
    binary: &Path,
    network: &str,
    threads: usize,
    modes: &[&str],
    arguments: &BenchCpuArguments,
) -> Result<String, Failure> {
    let mut workers = vec![ours(binary, network, threads)?];
    for mode in modes {
        workers.push(pytorch(&arguments.python, network, threads, mode)?);
    }
    for worker in &mut workers {
        worker.find_pace(TURN_S)?;
    }
    for _ in 0..arguments.rounds {
        for worker in &mut workers {
            worker.turn()?;
        }
    }
    let speed = |worker: &Worker| BATCH as f64 / worker.median();
    let cell = |worker: &Worker| match worker.peak_mb() {
        Some(peak) => format!("{:.1} ({peak})", speed(worker)),
        None => format!("{:.1}", speed(worker)),
    };
    let of = |mode: &str| modes.iter().position(|other| *other == mode).map(|at| &workers[at + 1]);
    let ours = &workers[0];
    let best = MODES[..3].iter().filter_map(|mode| of(mode)).map(speed).fold(f64::NAN, f64::max);
    let ratio =
        |other: f64| if other.is_nan() { "-".to_owned() } else { format!("{:.2}", speed(ours) / other) };
    let theirs: Vec<String> = MODES.iter().map(|mode| of(mode).map_or("-".to_owned(), cell)).collect();
    Ok(format!(
        "{} | {:.0}% | {} | {} | {}",
        cell(ours),
        ours.spread() * 100.0,
        theirs.join(" | "),
        ratio(best),
        ratio(of("bf16").map_or(f64::NAN, speed)),
    ))
}

fn ours(binary: &Path, network: &str, threads: usize) -> Result<Worker, Failure> {
    let mut command = Command::new(binary);
    command.args(["--network", &format!("zoo:{network}"), "--batch", &BATCH.to_string(), "--pass", "train"]);
    command.env("RAYON_NUM_THREADS", threads.to_string());
    Worker::start(command)
}

fn pytorch(python: &str, network: &str, threads: usize, mode: &str) -> Result<Worker, Failure> {
    let mut command = Command::new(python);
    command.arg(root().join("crates/xtask/pytorch/bench_photos.py"));
    command.args(["--network", network, "--batch", &BATCH.to_string(), "--mode", mode]);
    command.args(["--threads", &threads.to_string()]);
    Worker::start(command)
}
