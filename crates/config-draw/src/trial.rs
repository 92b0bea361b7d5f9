//! A drawn config, trained once without a stop and once with several: both must come to the same end.

use std::path::Path;
use std::time::{Duration, Instant};

use firebrick::models::Network;
use firebrick::prelude::*;
use firebrick::train::ErrorKind;
use firebrick::train::run_folder::Resume;

use crate::end::End;
use crate::operations;
use crate::poison::register;
use crate::random::Random;
use crate::stop::{Length, Stop};
use crate::what::What;
use crate::{Failure, draw};

/// Starts the run of a folder in a process of its own and kills it after this time; the process is gone when it
/// returns.
pub type Kill<'a> = dyn FnMut(&Path, Duration) -> Result<(), Failure> + 'a;

/// What happened in a trial.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The stops, one after the other.
    pub stops: Vec<Stop>,
    /// Steps of the run.
    pub steps: u64,
    /// How often it recovered from a number that was not finite.
    pub recoveries: u64,
    /// Whether it ended at such a number.
    pub diverged: bool,
}

/// Draws a config, with batches that are not finite, and up to six stops; trains both ways in folders below `folder`, one
/// after the other, and compares. With `kill` some of the stops are kills of other processes.
///
/// No other run may be at work in this process: dropout has one generator in it.
///
/// # Errors
///
/// The first difference, with the stops, or why a run could not be trained.
pub fn run(seed: u64, folder: &Path, mut kill: Option<&mut Kill<'_>>) -> Result<Trial, Failure> {
    let config = config(seed)?;
    let random = &mut Random::new(!seed);
    let (expected, length, time) = uninterrupted(&config, &folder.join("whole"))?;
    let run_dir = folder.join("stopped");
    let mut trial = Trial {
        stops: Vec::new(),
        steps: length.steps,
        recoveries: expected.metrics.iter().filter(|record| record["event"] == "refused").count() as u64,
        diverged: expected.summary.is_none(),
    };
    let (mut seen_steps, mut has_other_divergence) = (0, false);
    for _ in 0..random.between(1, 6) {
        let stop = Stop::draw(random, length, seen_steps, kill.is_some());
        trial.stops.push(stop);
        let segment = match (stop, &mut kill) {
            (Stop::Kill(part), Some(kill)) => {
                kill(&run_dir, time.mul_f64(1.5 * part))?;
                // It may have come as far as any process can.
                seen_steps = length.steps;
                continue;
            }
            (stop, _) => train(&config, &run_dir, Some(stop)),
        };
        seen_steps = seen_steps.max(segment.steps);
        match &segment.result {
            Ok(_) => {}
            Err(_) if matches!(stop, Stop::Operation(_)) => {}
            Err(error) if error.kind() == ErrorKind::Diverged && trial.diverged => {}
            // An evaluation that a longer run does not make.
            Err(error) if error.kind() == ErrorKind::Diverged && matches!(stop, Stop::MaxSteps(_)) => {
                has_other_divergence = true;
            }
            Err(error) => return Err(format!("after {:?}: {error}", trial.stops).into()),
        }
    }
    let last = train(&config, &run_dir, None);
    let got = End::of(&run_dir, last.result).map_err(|error| format!("after {:?}: {error}", trial.stops))?;
    let expected =
        if has_other_divergence { End { diverged: got.diverged.clone(), ..expected } } else { expected };
    match got.difference(&expected) {
        None => Ok(trial),
        Some(difference) => Err(format!("after {:?}: {difference}", trial.stops).into()),
    }
}

/// The config of a trial.
///
/// # Errors
///
/// It cannot be read: a fault of the drawing.
pub fn config(seed: u64) -> Result<Config, Failure> {
    register();
    Ok(Config::from_toml(&format!("seed {seed}"), &draw(seed, What::Everything), &[])?)
}

fn uninterrupted(config: &Config, run_dir: &Path) -> Result<(End, Length, Duration), Failure> {
    let begun = Instant::now();
    let whole = train(config, run_dir, None);
    let length = Length { steps: whole.steps.max(1), events: whole.events, operations: whole.operations };
    Ok((End::of(run_dir, whole.result)?, length, begun.elapsed()))
}

/// One process's part of a run.
struct Segment {
    result: Result<Outcome<Network>, TrainError>,
    /// The last step that was told.
    steps: u64,
    events: u64,
    operations: u64,
}

/// Starts or goes on.
fn train(config: &Config, run_dir: &Path, stop: Option<Stop>) -> Segment {
    let (mut steps, mut events) = (0, 0);
    let mut config = config.clone();
    if let Some(Stop::MaxSteps(max_steps)) = stop {
        config.trainer.max_steps = Some(max_steps);
    }
    let limit = if let Some(Stop::Operation(number)) = stop { number - 1 } else { u64::MAX };
    operations::watch(run_dir, limit);
    let listener = |event: &Event| {
        events += 1;
        match event {
            Event::Step(record) => steps = record.step,
            Event::Refused(record) => steps = record.step,
            Event::Started(started) => steps = started.resumed_from_step,
            _ => {}
        }
        let is_stop = match stop {
            Some(Stop::Event { number, insists }) => events == number || insists && events > number,
            _ => false,
        };
        if is_stop { Control::Stop } else { Control::Continue }
    };
    let result = Trainer::new(config).run_dir(run_dir).resume(Resume::Latest).on_event(listener).run();
    Segment { result, steps, events, operations: operations::watched_so_far() }
}

impl End {
    /// The end of a run that nobody stopped: it is complete, or it has diverged and then has no summary of its own.
    fn of(run_dir: &Path, result: Result<Outcome<Network>, TrainError>) -> Result<Self, Failure> {
        match result {
            Ok(outcome) if outcome.status == Status::Completed => Self::read(run_dir),
            Ok(_) => Err("nobody has stopped the run, and it is not complete".into()),
            Err(error) if error.kind() == ErrorKind::Diverged => {
                Ok(Self { summary: None, ..Self::read(run_dir)? })
            }
            Err(error) => Err(error.into()),
        }
    }
}
