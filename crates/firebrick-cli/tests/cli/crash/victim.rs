//! A run of the real `train` that is ended in the middle and started again by the same command, until it
//! is done. Shared by the tests and `cargo xtask crash`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use config_draw::{End, Failure, Random};
use serde_json::Value;

/// How often a process is looked at.
const POLL: Duration = Duration::from_millis(2);

/// A command that starts a run or goes on with it.
#[derive(Debug, Clone)]
pub struct Victim {
    /// The `train` binary.
    pub train: PathBuf,
    pub config: PathBuf,
    /// `key=value` of each `--set`.
    pub sets: Vec<String>,
    pub run_dir: PathBuf,
    /// RAYON_NUM_THREADS; as many as there are cores, when absent.
    pub threads: Option<usize>,
}

/// What became of one chain of kills.
#[derive(Debug, Clone, Copy, Default)]
pub struct Killed {
    pub kills: usize,
    /// Kills that left a half-written file or folder.
    pub while_saving: usize,
    /// How long the whole run took, if it was done before the first kill.
    pub whole: Option<Duration>,
}

impl Victim {
    /// The same command each time.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.train);
        command.arg("--config").arg(&self.config).arg("--run-dir").arg(&self.run_dir);
        command.args(["--resume", "--log-format", "json"]);
        command.args(self.sets.iter().flat_map(|set| ["--set", set]));
        if let Some(threads) = self.threads {
            command.env("RAYON_NUM_THREADS", threads.to_string());
        }
        command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
        command
    }

    /// Trains to the end; gives what it ended with and how long it took.
    pub fn to_end(&self) -> Result<(End, Duration), Failure> {
        let begun = Instant::now();
        let output = self.command().output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: ended with {}: {stderr}", self.run_dir.display(), output.status).into());
        }
        Ok((End::read(&self.run_dir)?, begun.elapsed()))
    }

    /// Kills the run up to `most` times, each after a random part of `longest`, then lets it end.
    pub fn kill(
        &self,
        most: usize,
        longest: Duration,
        random: &mut Random,
        expected: &End,
    ) -> Result<Killed, Failure> {
        let mut killed = Killed::default();
        for _ in 0..most {
            let begun = Instant::now();
            let mut process = self.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            let ended = wait_at_most(&mut process, longest.mul_f64(random.fraction()))?;
            if let Some(status) = ended {
                if !status.success() {
                    return Err(format!("{}: ended with {status}", self.run_dir.display()).into());
                }
                killed.whole = (killed.kills == 0).then(|| begun.elapsed());
                break;
            }
            process.kill()?;
            process.wait()?;
            killed.kills += 1;
            killed.while_saving += usize::from(!leftovers(&self.run_dir)?.is_empty());
        }
        self.ends_as(expected)?;
        Ok(killed)
    }

    /// Starts it once more and compares the end.
    pub fn ends_as(&self, expected: &End) -> Result<(), Failure> {
        let (end, _) = self.to_end()?;
        if let Some(difference) = end.difference(expected) {
            return Err(format!("{}: {difference}", self.run_dir.display()).into());
        }
        match leftovers(&self.run_dir)?.as_slice() {
            [] => Ok(()),
            left => Err(format!("temporary files are left: {left:?}").into()),
        }
    }

    /// Starts it, telling each event.
    pub fn start(&self) -> Result<Started, Failure> {
        self.start_as(self.command())
    }

    /// The same with another way to start it.
    pub fn start_as(&self, mut command: Command) -> Result<Started, Failure> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().ok_or("no standard output")?;
        let last = Arc::new(Mutex::new(Value::Null));
        let heard = last.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let (Ok(event), Ok(mut last)) = (serde_json::from_str(&line), heard.lock()) {
                    *last = event;
                }
            }
        });
        Ok(Started { process, last, reader, run_dir: self.run_dir.clone() })
    }
}

/// A running process, and what it told last.
pub struct Started {
    process: Child,
    last: Arc<Mutex<Value>>,
    reader: JoinHandle<()>,
    run_dir: PathBuf,
}

impl Started {
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The last event; null before the first.
    pub fn last(&self) -> Value {
        self.last.lock().map_or(Value::Null, |last| last.clone())
    }

    /// What it seems to be doing, of a run with `steps_per_epoch`.
    pub fn phase(&self, steps_per_epoch: u64) -> &'static str {
        let last = self.last();
        let ends_epoch = last["step"].as_u64().is_some_and(|step| step % steps_per_epoch == 0);
        if leftovers(&self.run_dir).is_ok_and(|left| !left.is_empty()) {
            return "save";
        }
        match last["event"].as_str() {
            None => "start-up",
            Some("step") if ends_epoch => "evaluation",
            Some("finished") => "end",
            Some(_) => "step",
        }
    }

    /// Waits until the last event is one that `wanted` takes; false if the process ended before.
    pub fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<bool, Failure> {
        loop {
            if wanted(&self.last()) {
                return Ok(true);
            }
            if self.process.try_wait()?.is_some() {
                return Ok(wanted(&self.last()));
            }
            thread::sleep(POLL);
        }
    }

    /// Whether it ends within `time`.
    pub fn ends_within(&mut self, time: Duration) -> Result<bool, Failure> {
        Ok(wait_at_most(&mut self.process, time)?.is_some())
    }

    /// Sends `-KILL`, `-INT`, `-TERM`.
    pub fn signal(&self, signal: &str) -> Result<(), Failure> {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status()?;
        if sent.success() { Ok(()) } else { Err(format!("kill {signal} ended with {sent}").into()) }
    }

    /// Its end, and what it wrote to standard error.
    pub fn wait(self) -> Result<(ExitStatus, String), Failure> {
        let output = self.process.wait_with_output()?;
        self.reader.join().map_err(|_| "the reader panicked")?;
        Ok((output.status, String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

/// Names of half-written files and folders in a run.
pub fn leftovers(run_dir: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for folder in [run_dir.to_owned(), run_dir.join("checkpoints")] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
    }
    names.retain(|name| name.starts_with('.') && name.contains(".tmp-"));
    Ok(names)
}

fn wait_at_most(process: &mut Child, time: Duration) -> Result<Option<ExitStatus>, Failure> {
    let begun = Instant::now();
    loop {
        let status = process.try_wait()?;
        if status.is_some() || begun.elapsed() >= time {
            return Ok(status);
        }
        thread::sleep(POLL.min(time.saturating_sub(begun.elapsed())));
    }
}
