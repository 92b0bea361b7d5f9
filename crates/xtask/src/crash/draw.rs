//! Drawn configs, each trained without a stop and with drawn ones: `max_steps`, a signal's stop at any event, a process
//! that ends at any operation on the disk, `kill -9` at any moment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use config_draw::{Failure, What, draw, trial};
use firebrick::Trainer;
use firebrick::train::run_folder::Resume;
use serde_json::{Value, json};

/// How many configs are drawn, and what the processes tell each other.
#[derive(Debug, Args)]
pub struct DrawArguments {
    /// Drawn configs
    #[arg(long, default_value_t = 500)]
    draws: u64,

    /// Of the drawn configs every Nth from the Ith on, as `I/N`: one process's part
    #[arg(long, hide = true)]
    part: Option<Part>,

    /// Trains the config of the seed in this folder and nothing else: the process that is killed
    #[arg(long, hide = true)]
    train: Option<PathBuf>,
}

/// Every `of`th draw from the `first` on.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    first: u64,
    of: u64,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(first, of)| Some((first.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((first, of)) if of > 0 => Ok(Self { first, of }),
            _ => Err("expected two numbers, such as 0/2".to_owned()),
        }
    }
}

/// Draws with the seeds from `seed` on.
pub fn recipe(arguments: &DrawArguments, seed: u64) -> Result<(), Failure> {
    let draws = arguments.draws;
    match (&arguments.train, arguments.part) {
        (Some(run_dir), _) => train(seed, run_dir),
        (None, Some(part)) => trials(seed, draws, part),
        (None, None) => in_parts(seed, draws),
    }
}

/// The process that is killed.
fn train(seed: u64, run_dir: &Path) -> Result<(), Failure> {
    Trainer::new(trial::config(seed)?).run_dir(run_dir).resume(Resume::Latest).run()?;
    Ok(())
}

/// One process's draws, a line of JSON each.
fn trials(first_seed: u64, draws: u64, part: Part) -> Result<(), Failure> {
    let program = std::env::current_exe()?;
    for number in (part.first..draws).step_by(part.of as usize) {
        let seed = first_seed + number;
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        let mut kill = |run_dir: &Path, time: Duration| kill(&program, seed, run_dir, time);
        let line = match trial::run(seed, folder.path(), Some(&mut kill)) {
            Ok(trial) => json!({
                "stops": trial.stops.iter().map(|stop| stop.name()).collect::<Vec<_>>(),
                "recovered": trial.recoveries > 0,
                "diverged": trial.diverged,
            }),
            Err(error) => json!({ "seed": seed, "error": error.to_string() }),
        };
        println!("{line}");
    }
    Ok(())
}

fn kill(program: &Path, seed: u64, run_dir: &Path, time: Duration) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(["crash", "draw", "--seed", &seed.to_string(), "--train"]).arg(run_dir);
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    thread::sleep(time);
    // One that has ended is not there any more.
    process.kill()?;
    process.wait()?;
    Ok(())
}

/// What the lines of all processes add up to.
#[derive(Default)]
struct Totals {
    draws: u64,
    stops: BTreeMap<String, u64>,
    recovered: u64,
    diverged: u64,
    wrong: u64,
}

impl Totals {
    fn add(&mut self, line: &Value) {
        self.draws += 1;
        if let (Some(seed), Some(error)) = (line["seed"].as_u64(), line["error"].as_str()) {
            self.wrong += 1;
            eprintln!("seed {seed}: {error}\n{}", draw(seed, What::Everything));
        }
        for stop in line["stops"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            *self.stops.entry(stop.to_owned()).or_default() += 1;
        }
        self.recovered += u64::from(line["recovered"] == true);
        self.diverged += u64::from(line["diverged"] == true);
    }

    fn print(&self) {
        println!("{:>6}  drawn configs", self.draws);
        println!("{:>6}  of them recovered from numbers that were not finite", self.recovered);
        println!("{:>6}  of them ended at such a number", self.diverged);
        for (name, count) in &self.stops {
            println!("{count:>6}  stops by {name}");
        }
        println!("{:>6}  ended otherwise than without a stop", self.wrong);
    }
}

/// A copy of this program for each processor, which a build meanwhile does not replace: no two runs may be at work in
/// one process.
fn in_parts(seed: u64, draws: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("xtask");
    std::fs::copy(std::env::current_exe()?, &program)?;
    let of = thread::available_parallelism()?.get() as u64;
    let parts = (0..of)
        .map(|first| start(&program, seed, draws, &format!("{first}/{of}")))
        .collect::<Result<Vec<_>, _>>()?;
    let readers = parts.into_iter().map(|part| thread::spawn(move || lines(part)));
    let mut totals = Totals::default();
    for reader in readers.collect::<Vec<_>>() {
        let lines = reader.join().map_err(|_| "a thread that reads has panicked")??;
        lines.iter().for_each(|line| totals.add(line));
    }
    totals.print();
    if totals.draws != draws || totals.wrong > 0 {
        let alike = totals.draws - totals.wrong;
        return Err(format!("expected {draws} draws to end alike, got {alike}").into());
    }
    println!("nothing was lost, in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn start(program: &Path, seed: u64, draws: u64, part: &str) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    command.args(["crash", "draw", "--seed", &seed.to_string(), "--draws", &draws.to_string()]);
    command.args(["--part", part]);
    // The processes take the place of the threads.
    command.env("RAYON_NUM_THREADS", "1").stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

/// What a process says until its end.
fn lines(mut part: Child) -> Result<Vec<Value>, Failure> {
    let stdout = part.stdout.take().ok_or("no standard output")?;
    let lines = BufReader::new(stdout).lines().map(|line| Ok(serde_json::from_str(&line?)?));
    let lines = lines.collect::<Result<Vec<Value>, Failure>>()?;
    let status = part.wait()?;
    if status.success() {
        Ok(lines)
    } else {
        Err(format!("a process of the draws ended with {status}").into())
    }
}
