//! Training steps and forward passes on the CPU: ours beside plain Burn, PyTorch and PyTorch channels_last; or
//! beside an older version of ours; or a network from a config beside the same one written by hand.
//!
//! All run as processes that stay, and take turns within each round, so that what disturbs the
//! machine disturbs all of them. A row gives medians over the rounds and the spread of ours.

use std::path::Path;
use std::process::Command;

use crate::bench_cpu_arguments::BenchCpuArguments;
use crate::bench_photos;
use crate::failure::Failure;
use crate::run::{beside, config, root};
use crate::worker::Worker;

/// A turn takes about this long, in seconds.
const TURN_S: f64 = 0.4;

/// What is measured: network, batch size.
const CASES: [(&str, usize); 7] = [
    ("tudui", 1),
    ("tudui", 64),
    ("tudui", 512),
    ("lenet", 64),
    ("resnet18", 32),
    ("mobilenet", 64),
    ("mlp", 64),
];

/// Networks that are data and written by hand, too: the config or the network of `bench_worker` that is data, the one
/// that is written by hand, batch size.
const FROM_CONFIG: [(&str, &str, usize); 2] =
    [("resnet20-cifar10.toml", "resnet20", 64), ("resnet18-data", "resnet18", 32)];

/// The part of the other's speed that a version or a config may not fall below.
const LEAST_RATIO: f64 = 0.98;

const PASSES: [&str; 2] = ["train", "forward"];

/// Prints the table.
pub fn recipe(arguments: &BenchCpuArguments) -> Result<(), Failure> {
    match &arguments.against {
        Some(old) => against(old, arguments)?,
        None if arguments.from_config => from_config(arguments)?,
        None if arguments.photos => bench_photos::recipe(arguments)?,
        None => beside_pytorch(arguments)?,
    }
    let turn_s = if arguments.photos { bench_photos::TURN_S } else { TURN_S };
    println!("\nn = {} rounds of about {turn_s} s each, alternating; medians; {}", arguments.rounds, cpu());
    Ok(())
}

/// One network, batch size, pass and number of threads.
#[derive(Clone, Copy)]
struct Case<'a> {
    network: &'a str,
    batch: usize,
    pass: &'a str,
    threads: usize,
}

impl Case<'_> {
    /// The row's first cells.
    fn cells(self) -> String {
        format!("{} | {} | {} | {}", self.network, self.batch, self.pass, self.threads)
    }

    /// Images a second, the median of a worker's turns.
    fn speed(self, worker: &Worker) -> f64 {
        self.batch as f64 / worker.median()
    }
}

/// Calls `row` for each network that was asked for, in every pass and on every number of threads.
fn each_case(
    arguments: &BenchCpuArguments,
    networks: &[(&str, usize)],
    mut row: impl FnMut(Case) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let is_wanted = |network: &str| arguments.only.as_ref().is_none_or(|only| only == network);
    for &(network, batch) in networks.iter().filter(|(network, _)| is_wanted(network)) {
        for pass in PASSES {
            for &threads in &arguments.threads {
                row(Case { network, batch, pass, threads })?;
            }
        }
    }
    Ok(())
}

fn take_turns(workers: &mut [Worker], rounds: u64) -> Result<(), Failure> {
    for worker in &mut *workers {
        worker.find_pace(TURN_S)?;
    }
    for _ in 0..rounds {
        for worker in &mut *workers {
            worker.turn()?;
        }
    }
    Ok(())
}

fn beside_pytorch(arguments: &BenchCpuArguments) -> Result<(), Failure> {
    println!(
        "| network | batch | pass | threads | ours, images/s | spread | plain Burn | PyTorch | channels_last | ours / better PyTorch |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let binary = beside("bench_worker")?;
    let python = &arguments.python;
    each_case(arguments, &CASES, |case| {
        let mut workers =
            vec![ours(&binary, case, true)?, pytorch(python, case, false)?, pytorch(python, case, true)?];
        if !arguments.without_burn {
            workers.push(ours(&binary, case, false)?);
        }
        take_turns(&mut workers, arguments.rounds)?;
        let speeds: Vec<f64> = workers.iter().map(|worker| case.speed(worker)).collect();
        let (ours, torch, channels_last) = (speeds[0], speeds[1], speeds[2]);
        let burn = speeds.get(3).map_or_else(|| "-".to_owned(), |speed| format!("{speed:.0}"));
        println!(
            "| {} | {ours:.0} | {:.0}% | {burn} | {torch:.0} | {channels_last:.0} | {:.2} |",
            case.cells(),
            workers[0].spread() * 100.0,
            ours / torch.max(channels_last)
        );
        Ok(())
    })
}

fn against(old: &Path, arguments: &BenchCpuArguments) -> Result<(), Failure> {
    println!(
        "| network | batch | pass | threads | this, images/s | spread | older | spread | this / older |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let this = beside("bench_worker")?;
    let mut slower = Vec::new();
    each_case(arguments, &CASES, |case| {
        let mut workers = [ours(&this, case, true)?, ours(old, case, true)?];
        take_turns(&mut workers, arguments.rounds)?;
        slower.extend(compared(case, case, &workers));
        Ok(())
    })?;
    refuse_slower(&slower)
}

fn from_config(arguments: &BenchCpuArguments) -> Result<(), Failure> {
    println!(
        "| network | batch | pass | threads | from a config, images/s | spread | by hand | spread | config / hand |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let binary = beside("bench_worker")?;
    let mut slower = Vec::new();
    for (data, by_hand, batch) in FROM_CONFIG {
        let data = if data.ends_with(".toml") { config(data).display().to_string() } else { data.to_owned() };
        each_case(arguments, &[(by_hand, batch)], |by_hand| {
            let from_config = Case { network: &data, ..by_hand };
            let mut workers = [ours(&binary, from_config, true)?, ours(&binary, by_hand, true)?];
            take_turns(&mut workers, arguments.rounds)?;
            slower.extend(compared(from_config, by_hand, &workers));
            Ok(())
        })?;
    }
    refuse_slower(&slower)
}

/// Prints the row of two; the row again if the first is too slow.
fn compared(first: Case, second: Case, workers: &[Worker; 2]) -> Option<String> {
    let speeds = [first.speed(&workers[0]), second.speed(&workers[1])];
    let ratio = speeds[0] / speeds[1];
    let [spread, other_spread] = workers.each_ref().map(|worker| worker.spread() * 100.0);
    let row = format!(
        "| {} | {:.0} | {spread:.0}% | {:.0} | {other_spread:.0}% | {ratio:.3} |",
        second.cells(),
        speeds[0],
        speeds[1],
    );
    println!("{row}");
    (ratio < LEAST_RATIO).then_some(row)
}

fn refuse_slower(rows: &[String]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    Err(format!("below {LEAST_RATIO} of the other's speed, measure again with --only:\n{}", rows.join("\n"))
        .into())
}

fn ours(binary: &Path, case: Case, kernels: bool) -> Result<Worker, Failure> {
    let mut command = Command::new(binary);
    command.args(["--network", case.network, "--batch", &case.batch.to_string(), "--pass", case.pass]);
    command.env("RAYON_NUM_THREADS", case.threads.to_string());
    command.env("FIREBRICK_KERNELS", if kernels { "1" } else { "0" });
    Worker::start(command)
}

fn pytorch(python: &str, case: Case, channels_last: bool) -> Result<Worker, Failure> {
    let mut command = Command::new(python);
    command.arg(root().join("crates/xtask/pytorch/bench_worker.py"));
    command.args(["--network", case.network, "--batch", &case.batch.to_string(), "--pass", case.pass]);
    command.args(["--threads", &case.threads.to_string()]);
    if channels_last {
        command.arg("--channels-last");
    }
    Worker::start(command)
}

fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok();
    let name = text.as_deref().and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name)
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", name.unwrap_or("an unknown CPU"))
}
