//! Training steps and forward passes on the CPU: ours, plain Burn, PyTorch, PyTorch channels_last.
//!
//! The four run as processes that stay, and take turns within each round, so that what disturbs the
//! machine disturbs all of them. A row gives medians over the rounds and the spread of ours.

use std::process::Command;

use crate::Failure;
use crate::run::{beside, root};
use crate::worker::Worker;

/// A turn takes about this long, in seconds.
const TURN_S: f64 = 0.4;

/// What is measured: network, batch sizes.
const CASES: [(&str, usize); 7] = [
    ("tudui", 1),
    ("tudui", 64),
    ("tudui", 512),
    ("lenet", 64),
    ("resnet18", 32),
    ("mobilenet", 64),
    ("mlp", 64),
];

/// Prints the table.
pub fn recipe(rounds: usize, threads: &[usize], only: Option<&str>, with_burn: bool) -> Result<(), Failure> {
    println!(
        "| network | batch | pass | threads | ours, images/s | spread | plain Burn | PyTorch | channels_last | ours / better PyTorch |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (network, batch) in CASES {
        if only.is_some_and(|only| only != network) {
            continue;
        }
        for pass in ["train", "forward"] {
            for threads in threads {
                row(network, batch, pass, *threads, rounds, with_burn)?;
            }
        }
    }
    println!("\nn = {rounds} rounds of about {TURN_S} s each, alternating; medians; {}", cpu());
    Ok(())
}

fn row(
    network: &str,
    batch: usize,
    pass: &str,
    threads: usize,
    rounds: usize,
    with_burn: bool,
) -> Result<(), Failure> {
    let mut workers = vec![ours(network, batch, pass, threads, true)?];
    workers.push(pytorch(network, batch, pass, threads, false)?);
    workers.push(pytorch(network, batch, pass, threads, true)?);
    if with_burn {
        workers.push(ours(network, batch, pass, threads, false)?);
    }
    for worker in &mut workers {
        worker.find_pace(TURN_S)?;
    }
    for _ in 0..rounds {
        for worker in &mut workers {
            worker.turn()?;
        }
    }
    let speeds: Vec<f64> = workers.iter().map(|worker| batch as f64 / worker.median()).collect();
    let (ours, torch, channels_last) = (speeds[0], speeds[1], speeds[2]);
    let burn = speeds.get(3).map_or_else(|| "-".to_owned(), |speed| format!("{speed:.0}"));
    println!(
        "| {network} | {batch} | {pass} | {threads} | {ours:.0} | {:.0}% | {burn} | {torch:.0} | {channels_last:.0} | {:.2} |",
        workers[0].spread() * 100.0,
        ours / torch.max(channels_last)
    );
    Ok(())
}

fn ours(network: &str, batch: usize, pass: &str, threads: usize, kernels: bool) -> Result<Worker, Failure> {
    let mut command = Command::new(beside("bench_worker")?);
    command.args(["--network", network, "--batch", &batch.to_string(), "--pass", pass]);
    command.env("RAYON_NUM_THREADS", threads.to_string());
    command.env("FIREBRICK_KERNELS", if kernels { "1" } else { "0" });
    Worker::start(command)
}

fn pytorch(
    network: &str,
    batch: usize,
    pass: &str,
    threads: usize,
    channels_last: bool,
) -> Result<Worker, Failure> {
    let mut command = Command::new("python3");
    command.arg(root().join("crates/xtask/pytorch/bench_worker.py"));
    command.args(["--network", network, "--batch", &batch.to_string(), "--pass", pass]);
    command.args(["--threads", &threads.to_string()]);
    if channels_last {
        command.arg("--channels-last");
    }
    Worker::start(command)
}

fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", name.unwrap_or("an unknown CPU"))
}
