//! Runs of the real binary that are killed, stopped and starved of disk, and must end as if nothing had
//! happened: the tests of `firebrick-cli` many times over.

// The tests use parts that the recipes do not.
#[allow(dead_code)]
#[path = "../../firebrick-cli/tests/cli/crash/full_disk.rs"]
mod full_disk;
#[allow(dead_code)]
#[path = "../../firebrick-cli/tests/cli/crash/victim.rs"]
mod victim;

mod draw;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use config_draw::What;
use full_disk::{Room, Way, full_disk};
use tempfile::TempDir;
use victim::{End, Failure, Random, Victim};

use crate::run::{beside, config};

/// How a run is to be harmed.
#[derive(Debug, Args)]
pub struct CrashArguments {
    #[arg(value_enum, default_value = "kill")]
    what: Harm,

    /// Kills in all
    #[arg(long, default_value_t = 1000)]
    kills: usize,

    /// How often each signal is sent
    #[arg(long, default_value_t = 50)]
    signals: usize,

    /// Seed of the configs and the moments; that of the first, where there are several
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    draw: draw::DrawArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Harm {
    /// Drawn configs, each with drawn stops of every kind
    Draw,
    /// kill -9 at random moments, on drawn configs
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

const OPTIMIZER: &str = "{ name = \"adamw\", lr = 0.002 }";

/// A run of LeNet that fills a disk: everything that a checkpoint can hold, some 30 times.
const SETS: [&str; 7] = [
    "data.augment=[{name=\"random_crop\",padding=2},{name=\"random_horizontal_flip\"}]",
    "data.limit={train=192,test=128}",
    "schedule={name=\"plateau\",patience=0}",
    "trainer.epochs=8",
    "trainer.checkpoint_every=2",
    "trainer.ema={decay=0.9}",
    "trainer.backend=flex",
];

pub fn recipe(arguments: &CrashArguments) -> Result<(), Failure> {
    if let Harm::Draw = arguments.what {
        return draw::recipe(&arguments.draw, arguments.seed);
    }
    let bench = Bench::new()?;
    let begun = Instant::now();
    match arguments.what {
        Harm::Draw => unreachable!("bug: draws need no binaries"),
        Harm::Kill => kill(&bench, arguments),
        Harm::Signals => signals(&bench, arguments),
        Harm::Disk => disk(&bench),
        Harm::Equal => equal(&bench),
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

    /// A run of one of `configs/`.
    fn victim(&self, config_name: &str, run_dir: &str) -> Victim {
        let mut sets: Vec<String> = SETS.map(str::to_owned).into();
        sets.push(format!("optimizer={OPTIMIZER}"));
        self.run_of(config(config_name), sets, run_dir)
    }

    fn run_of(&self, config: PathBuf, sets: Vec<String>, run_dir: &str) -> Victim {
        let run_dir = self.folder.path().join(run_dir);
        Victim { train: self.train.clone(), config, sets, run_dir, threads: None }
    }

    /// The next drawn config from `seed` on whose run comes to an end, with that end.
    fn drawn(&self, seed: &mut u64) -> Result<Drawn, Failure> {
        loop {
            let config = self.folder.path().join("drawn.toml");
            fs::write(&config, config_draw::draw(*seed, What::Binaries))?;
            *seed += 1;
            let whole = self.run_of(config.clone(), Vec::new(), "whole");
            let begun = Instant::now();
            let output = whole.command().output()?;
            let drawn = Drawn { config, time: begun.elapsed() };
            match output.status.code() {
                Some(0) => return Ok(drawn),
                // Numbers that are not finite have ended it.
                Some(1) => remove(&whole.run_dir)?,
                _ => return Err(String::from_utf8_lossy(&output.stderr).into()),
            }
        }
    }
}

/// A drawn config and how long its run takes; the run stands in `whole`.
struct Drawn {
    config: PathBuf,
    time: Duration,
}

fn remove(run_dir: &Path) -> Result<(), Failure> {
    Ok(fs::remove_dir_all(run_dir)?)
}

fn kill(bench: &Bench, arguments: &CrashArguments) -> Result<(), Failure> {
    println!("{:>7}  {:>6}  {:>12}  {:>4}", "configs", "kills", "while saving", "lost");
    let (mut random, mut seed) = (Random::new(arguments.seed), arguments.seed);
    let (mut configs, mut kills, mut while_saving) = (0, 0, 0);
    while kills < arguments.kills {
        let drawn = bench.drawn(&mut seed)?;
        let expected = End::read(&bench.folder.path().join("whole"))?;
        let mut longest = drawn.time;
        for _ in 0..2 {
            let run = bench.run_of(drawn.config.clone(), Vec::new(), "killed");
            let most = (arguments.kills - kills).min(10);
            let killed = run
                .kill(most, longest, &mut random, &expected)
                .map_err(|error| format!("seed {}: {error}", seed - 1))?;
            kills += killed.kills;
            while_saving += killed.while_saving;
            // On a machine that has become less busy, later kills would find the run done.
            longest = killed.whole.unwrap_or(longest);
            remove(&run.run_dir)?;
        }
        remove(&bench.folder.path().join("whole"))?;
        configs += 1;
        if configs % 20 == 0 || kills >= arguments.kills {
            println!("{configs:>7}  {kills:>6}  {while_saving:>12}  {:>4}", 0);
        }
    }
    Ok(())
}

fn signals(bench: &Bench, arguments: &CrashArguments) -> Result<(), Failure> {
    let (mut random, mut seed) = (Random::new(arguments.seed), arguments.seed);
    let mut table_rows: BTreeMap<(&str, &str), (usize, Duration)> = BTreeMap::new();
    for (signal, name, number) in [("-INT", "SIGINT", 2), ("-TERM", "SIGTERM", 15)] {
        let mut sent = 0;
        while sent < arguments.signals {
            let drawn = bench.drawn(&mut seed)?;
            let expected = End::read(&bench.folder.path().join("whole"))?;
            remove(&bench.folder.path().join("whole"))?;
            let run = bench.run_of(drawn.config.clone(), Vec::new(), "stopped");
            let mut started = run.start()?;
            if !started.ends_within(drawn.time.mul_f64(random.fraction()))? {
                let phase = started.phase(steps_per_epoch(&expected));
                let begun = Instant::now();
                started.signal(signal)?;
                let (status, stderr) = started.wait()?;
                let code = status.code().or(status.signal().map(|number| 128 + number));
                let done = phase == "end" || run.run_dir.join("summary.json").exists() && code == Some(0);
                if code != Some(128 + number) && !done {
                    return Err(format!("seed {}: {name} in {phase}: {status}: {stderr}", seed - 1).into());
                }
                let row = table_rows.entry((name, if code == Some(0) { "end" } else { phase })).or_default();
                *row = (row.0 + 1, row.1.max(begun.elapsed()));
                sent += 1;
            } else {
                started.wait()?;
            }
            run.ends_as(&expected).map_err(|error| format!("seed {}: {error}", seed - 1))?;
            remove(&run.run_dir)?;
        }
    }
    println!("{:8}  {:10}  {:>5}  {:>9}  {:>4}", "signal", "phase", "times", "slowest s", "lost");
    for ((signal, phase), (times, slowest)) in table_rows {
        println!("{signal:8}  {phase:10}  {times:>5}  {:>9.2}  {:>4}", slowest.as_secs_f64(), 0);
    }
    Ok(())
}

/// The step of the first evaluation.
fn steps_per_epoch(end: &End) -> u64 {
    let first = end.metrics.iter().find(|record| record["event"] == "eval");
    first.and_then(|record| record["step"].as_u64()).unwrap_or(1)
}

fn disk(bench: &Bench) -> Result<(), Failure> {
    let (_, config) = NETWORKS[1];
    let victim = |run_dir: &str| bench.victim(config, run_dir);
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
    let sha256 = end.summary.as_ref().and_then(|summary| summary["weights_sha256"].as_str());
    sha256.unwrap_or("no weights_sha256")
}

fn equal(bench: &Bench) -> Result<(), Failure> {
    println!("{:7}  {:22}  {:>4}  weights_sha256", "backend", "network", "runs");
    for backend in ["flex", "ndarray"] {
        for (network, config) in NETWORKS {
            let run = |threads: Option<usize>, workers: usize| -> Result<_, Failure> {
                let mut run = bench.victim(config, "equal");
                run.sets.extend(["trainer.epochs=2".to_owned(), format!("trainer.backend={backend}")]);
                run.sets.push(format!("data.workers={workers}"));
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
