//! A program that stays and measures when it is asked to, so that programs can take turns.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::failure::Failure;

/// A process that waits for its turns.
#[derive(Debug)]
pub struct Worker {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Steps of a turn.
    steps: usize,
    /// Seconds of a step, one for each turn.
    times: Vec<f64>,
}

impl Worker {
    /// Starts it and waits until it is ready.
    pub fn start(mut command: Command) -> Result<Self, Failure> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("a worker has no pipes".into());
        };
        let mut worker = Self { process, input, output: BufReader::new(output), steps: 1, times: Vec::new() };
        worker.expect_ready()?;
        Ok(worker)
    }

    /// Gives it something else to do, and forgets what the last thing took.
    pub fn prepare(&mut self, what: &str) -> Result<(), Failure> {
        writeln!(self.input, "{what}")?;
        self.expect_ready()?;
        self.steps = 1;
        self.times.clear();
        Ok(())
    }

    fn expect_ready(&mut self) -> Result<(), Failure> {
        match self.answer()?.as_str() {
            "ready" => Ok(()),
            other => Err(format!("expected a worker to say `ready`, got `{other}`").into()),
        }
    }

    fn answer(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn run(&mut self, steps: usize) -> Result<f64, Failure> {
        writeln!(self.input, "{steps}")?;
        let answer = self.answer()?;
        answer.parse().map_err(|_| format!("expected seconds from a worker, got `{answer}`").into())
    }

    /// Doubles the steps until a turn takes about `turn_s` seconds; warms everything up on the way.
    pub fn find_pace(&mut self, turn_s: f64) -> Result<(), Failure> {
        loop {
            let seconds = self.run(self.steps)?;
            if seconds >= turn_s / 2.0 {
                let fitting = self.steps as f64 * turn_s / seconds;
                self.steps = fitting.round().max(1.0) as usize;
                return Ok(());
            }
            self.steps *= 2;
        }
    }

    /// Takes its turn.
    pub fn turn(&mut self) -> Result<(), Failure> {
        let seconds = self.run(self.steps)?;
        self.times.push(seconds / self.steps as f64);
        Ok(())
    }

    /// The most memory that the process has had so far, in MB, where the system tells.
    pub fn peak_mb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes / 1024)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times
    }

    /// Seconds of a step, the median of all turns; it has had one at least.
    pub fn median(&self) -> f64 {
        let times = self.sorted();
        times[times.len() / 2]
    }

    /// Half the distance between the quartiles, as a part of the median.
    pub fn spread(&self) -> f64 {
        let times = self.sorted();
        let [low, high] = [times.len() / 4, times.len() * 3 / 4].map(|index| times[index]);
        (high - low) / 2.0 / self.median()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
