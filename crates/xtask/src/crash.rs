//! Runs of the real binary that are killed, stopped and starved of disk, and must end as if nothing had
//! happened: the tests of `firebrick-cli` many times over.

// The tests use parts that the recipes do not.
#[allow(dead_code)]
#[path = "../../firebrick-cli/tests/cli/crash/full_disk.rs"]
mod full_disk;
#[allow(dead_code)]
#[path = "../../firebrick-cli/tests/cli/crash/victim.rs"]
mod victim;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use full_disk::{Room, Way, full_disk};
use tempfile::TempDir;
use victim::{End, Failure, Random, Victim};

use crate::run::{beside, config};

/// How a run is to be harmed.
#[derive(Debug, Args)]
pub struct CrashArguments {
    #[arg(value_enum, default_value = "kill")]
    what: What,

    /// Kills in all
    #[arg(long, default_value_t = 1000)]
    kills: usize,

    /// How often each signal is sent
    #[arg(long, default_value_t = 50)]
    signals: usize,

    /// Seed of the moments
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// kill -9 at random moments, on every network and optimiser
    Kill,
    /// SIGINT and SIGTERM at random moments
    Signals,
    /// 32 disks that are too small
    Disk,
    /// No harm: threads, workers and repetition must not change a bit
    Equal,
}

const NETWORKS: [(&str, &str); 3] = [
    ("tudui", "quickstart.toml"),
    ("lenet", "lenet-digits.toml"),
    ("batch norm and dropout", "sequential-digits.toml"),
];

const OPTIMIZERS: [(&str, &str); 2] = [
    ("sgd with momentum", "{ name = \"sgd\", lr = 0.01, momentum = 0.9 }"),
    ("adamw", "{ name = \"adamw\", lr = 0.002 }"),
];

const STEPS_PER_EPOCH: u64 = 6;

/// Everything that a checkpoint can hold, in 12 steps with seven checkpoints.
const SETS: [&str; 7] = [
    "data.augment=[{name=\"random_crop\",padding=2},{name=\"random_horizontal_flip\"}]",
    "data.limit={train=192,test=128}",
    "schedule={name=\"plateau\",patience=0}",
    "trainer.epochs=2",
    "trainer.checkpoint_every=2",
    "trainer.ema={decay=0.9}",
    "trainer.backend=flex",
];

pub fn recipe(arguments: &CrashArguments) -> Result<(), Failure> {
    let bench = Bench::new()?;
    let begun = Instant::now();
    match arguments.what {
        What::Kill => kill(&bench, arguments),
        What::Signals => signals(&bench, arguments),
        What::Disk => disk(&bench),
        What::Equal => equal(&bench),
    }?;
    println!("nothing was lost, in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Copies of the binaries, which a build meanwhile does not replace, and room for runs.
struct Bench {
    folder: TempDir,
    train: PathBuf,
    firebrick: PathBuf,
}

impl Bench {
    fn new() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let copy = |name: &str| -> Result<PathBuf, Failure> {
            let target = folder.path().join(name);
            fs::copy(beside(name).map_err(|error| error.to_string())?, &target)?;
            Ok(target)
        };
        Ok(Self { train: copy("train")?, firebrick: copy("firebrick")?, folder })
    }

    fn victim(&self, config_name: &str, optimizer: &str, run_dir: &str) -> Victim {
        let mut sets: Vec<String> = SETS.map(str::to_owned).into();
        sets.push(format!("optimizer={optimizer}"));
        Victim {
            train: self.train.clone(),
            config: config(config_name),
            sets,
            run_dir: self.folder.path().join(run_dir),
            threads: None,
        }
    }
}

fn remove(run_dir: &Path) -> Result<(), Failure> {
    Ok(fs::remove_dir_all(run_dir)?)
}

fn kill(bench: &Bench, arguments: &CrashArguments) -> Result<(), Failure> {
    println!(
        "{:22}  {:17}  {:>6}  {:>12}  {:>4}  {:>4}",
        "network", "optimiser", "kills", "while saving", "runs", "lost"
    );
    let mut random = Random(arguments.seed);
    let cases = NETWORKS.len() * OPTIMIZERS.len();
    for (number, (network, config)) in NETWORKS.iter().enumerate() {
        for (index, (optimizer, table)) in OPTIMIZERS.iter().enumerate() {
            let case = number * OPTIMIZERS.len() + index;
            let most = arguments.kills * (case + 1) / cases - arguments.kills * case / cases;
            let whole = bench.victim(config, table, "whole");
            let (expected, mut longest) = whole.to_end()?;
            remove(&whole.run_dir)?;
            let (mut kills, mut while_saving, mut runs) = (0, 0, 0);
            while kills < most {
                let run = bench.victim(config, table, "killed");
                let killed = run.kill((most - kills).min(10), longest, &mut random, &expected)?;
                kills += killed.kills;
                while_saving += killed.while_saving;
                // On a machine that has become less busy, later kills would find the run done.
                longest = killed.whole.unwrap_or(longest);
                runs += 1;
                remove(&run.run_dir)?;
            }
            println!("{network:22}  {optimizer:17}  {kills:>6}  {while_saving:>12}  {runs:>4}  {:>4}", 0);
        }
    }
    Ok(())
}

fn signals(bench: &Bench, arguments: &CrashArguments) -> Result<(), Failure> {
    let (_, config) = NETWORKS[0];
    let (_, table) = OPTIMIZERS[1];
    let whole = bench.victim(config, table, "whole");
    let (expected, longest) = whole.to_end()?;
    let mut random = Random(arguments.seed);
    let mut table_rows: BTreeMap<(&str, &str), (usize, Duration)> = BTreeMap::new();
    for (signal, name, number) in [("-INT", "SIGINT", 2), ("-TERM", "SIGTERM", 15)] {
        let mut sent = 0;
        while sent < arguments.signals {
            let run = bench.victim(config, table, "stopped");
            let mut started = run.start()?;
            if !started.ends_within(longest.mul_f64(random.fraction()))? {
                let phase = started.phase(STEPS_PER_EPOCH);
                let begun = Instant::now();
                started.signal(signal)?;
                let (status, stderr) = started.wait()?;
                let code = status.code().or(status.signal().map(|number| 128 + number));
                let done = phase == "end" || run.run_dir.join("summary.json").exists() && code == Some(0);
                if code != Some(128 + number) && !done {
                    return Err(format!("{name} in {phase}: {status}: {stderr}").into());
                }
                let row = table_rows.entry((name, if code == Some(0) { "end" } else { phase })).or_default();
                *row = (row.0 + 1, row.1.max(begun.elapsed()));
                sent += 1;
            } else {
                started.wait()?;
            }
            run.ends_as(&expected)?;
            remove(&run.run_dir)?;
        }
    }
    println!("{:8}  {:10}  {:>5}  {:>9}  {:>4}", "signal", "phase", "times", "slowest s", "lost");
    for ((signal, phase), (times, slowest)) in table_rows {
        println!("{signal:8}  {phase:10}  {times:>5}  {:>9.2}  {:>4}", slowest.as_secs_f64(), 0);
    }
    Ok(())
}

fn disk(bench: &Bench) -> Result<(), Failure> {
    let (_, config) = NETWORKS[1];
    let (_, table) = OPTIMIZERS[1];
    let victim = |run_dir: &str| {
        let mut victim = bench.victim(config, table, run_dir);
        // So many that the disk is full before the run is done.
        victim.sets.push("trainer.epochs=8".to_owned());
        victim
    };
    let (expected, _) = victim("whole").to_end()?;
    let way = Way::find();
    println!("{way:?}\n{:>28}  {:>4}  {:>11}  message", "room", "exit", "checkpoints");
    let from_start = (1..=16).map(|number| Room::FromTheStart(number * number * 17));
    let later = (0..16).map(|number| Room::AfterThreeSaves(number * 100));
    let mut full = 0;
    for (number, room) in from_start.chain(later).enumerate() {
        if let (Way::FileLength, Room::AfterThreeSaves(_)) = (way, room) {
            continue;
        }
        let folder = bench.folder.path().join(number.to_string());
        fs::create_dir(&folder)?;
        let fate = full_disk(&victim("unused"), &bench.firebrick, way, room, &folder, &expected)?;
        let (room, good) =
            (format!("{room:?} KiB"), if fate.had_checkpoints { "all good" } else { "none yet" });
        println!(
            "{room:>28}  {:>4}  {good:>11}  {}",
            fate.code,
            fate.message.lines().next().unwrap_or("none")
        );
        full += usize::from(fate.code == 4);
        remove(&folder)?;
    }
    println!("{full} disks were full");
    Ok(())
}

fn sha256(end: &End) -> &str {
    end.summary["weights_sha256"].as_str().unwrap_or("no weights_sha256")
}

fn equal(bench: &Bench) -> Result<(), Failure> {
    println!("{:7}  {:22}  {:>4}  weights_sha256", "backend", "network", "runs");
    for backend in ["flex", "ndarray"] {
        for (network, config) in NETWORKS {
            let run = |threads: Option<usize>, workers: usize| -> Result<_, Failure> {
                let mut run = bench.victim(config, OPTIMIZERS[0].1, "equal");
                run.sets.extend([format!("trainer.backend={backend}"), format!("data.workers={workers}")]);
                run.threads = threads;
                let (end, _) = run.to_end()?;
                remove(&run.run_dir)?;
                Ok(end)
            };
            let expected = run(None, 2)?;
            let mut runs = 1;
            let repeated = (1..10).map(|_| (None, 2));
            let varied = [1, 2, 4]
                .into_iter()
                .flat_map(|threads| [0, 1, 2, 4].map(|workers| (Some(threads), workers)));
            for (threads, workers) in repeated.chain(varied) {
                let end = run(threads, workers)?;
                if end != expected {
                    let what = format!("{backend}, {network}, threads {threads:?}, workers {workers}");
                    return Err(
                        format!("{what}: expected {}, got {}", sha256(&expected), sha256(&end)).into()
                    );
                }
                runs += 1;
            }
            println!("{backend:7}  {network:22}  {runs:>4}  {}", sha256(&expected));
        }
    }
    Ok(())
}
