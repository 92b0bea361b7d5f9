//! `verify --replay CONFIG`: a short run twice, once without a stop and once with several, to the same end.

use std::path::Path;

use firebrick::Trainer;
use firebrick::train::checkpoint::BEST;
use firebrick::train::config::Override;
use firebrick::train::event::{Control, Event, Summary};
use firebrick::train::run_folder::Resume;
use firebrick::train::{Config, Status};
use serde_json::Value;

use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::{overrides, read_config};

/// Enough for an optimiser's state to matter; `--set trainer.max_steps=N` replays more.
const STEPS: &str = "12";

/// How the second run is stopped.
#[derive(Clone, Copy)]
enum Stop {
    /// By the observer, after this step, as a signal does.
    AfterStep(u64),
    /// By `trainer.max_steps`.
    MaxSteps(u64),
    /// By the observer, in the next evaluation.
    InEvaluation,
}

/// Trains both and compares.
pub fn run(config: &Path, set: &[String]) -> Result<Exit, Failure> {
    let mut sets = vec![Override::new("trainer.max_steps", STEPS)];
    sets.extend(overrides(set)?);
    let (config, _) = read_config(Some(config), &sets)?;
    let attended = Attended::new(Format::for_people())?;
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::storage(format!("cannot create a folder for the replay: {error}")))?;
    let (whole_dir, parts_dir) = (folder.path().join("whole"), folder.path().join("parts"));
    let (_, whole) = train(&attended, &config, &whole_dir, None)?;
    tell("never stopped", &whole)?;
    let quarter = |number: u64| (number * whole.steps).div_ceil(4);
    let stops = [
        Stop::AfterStep(quarter(1)),
        Stop::MaxSteps(quarter(2)),
        Stop::AfterStep(quarter(3)),
        Stop::InEvaluation,
    ];
    for stop in stops {
        let (status, summary) = train(&attended, &config, &parts_dir, Some(stop))?;
        if status == Status::Stopped || matches!(stop, Stop::MaxSteps(_)) {
            tell("stopped", &summary)?;
        }
    }
    let (_, resumed) = train(&attended, &config, &parts_dir, None)?;
    tell("resumed", &resumed)?;
    if let Some(difference) = difference((&whole_dir, &whole), (&parts_dir, &resumed))? {
        let message =
            format!("the resumed run ended otherwise than the run that was never stopped: {difference}");
        return Err(Failure::storage(message));
    }
    output::line("equal: the resumed run is the run that was never stopped")?;
    Ok(Exit::Done)
}

/// Goes on with the run in `run_dir`, or starts it, until its end or the stop.
fn train(
    attended: &Attended,
    config: &Config,
    run_dir: &Path,
    stop: Option<Stop>,
) -> Result<(Status, Summary), Failure> {
    let mut config = config.clone();
    if let Some(Stop::MaxSteps(max_steps)) = stop {
        config.trainer.max_steps = Some(max_steps);
    }
    let asked = |event: &Event| match (event, stop) {
        (Event::Step(record), Some(Stop::AfterStep(step))) if record.step == step => Control::Stop,
        (Event::Refused(record), Some(Stop::AfterStep(step))) if record.step == step => Control::Stop,
        (Event::Evaluating { .. }, Some(Stop::InEvaluation)) => Control::Stop,
        _ if attended.signals.received().is_some() => Control::Stop,
        _ => Control::Continue,
    };
    let trainer = Trainer::new(config)
        .run_dir(run_dir)
        .resume(Resume::Latest)
        .on_progress(attended.progress())
        .on_event(asked);
    let outcome = attended.finish(trainer.run())?;
    attended.go_on()?;
    Ok((outcome.status, outcome.summary))
}

/// What of the end is not the same: weights, decisions, lines of `metrics.jsonl`, the best checkpoint.
fn difference(
    (whole_dir, whole): (&Path, &Summary),
    (parts_dir, parts): (&Path, &Summary),
) -> Result<Option<&'static str>, Failure> {
    let sha256 = |summary: &Summary| (summary.weights_sha256.clone(), summary.ema_sha256.clone());
    let timeless = |summary: &Summary| Summary { seconds: 0.0, images_per_second: 0.0, ..summary.clone() };
    let best = |run_dir: &Path| std::fs::read_to_string(run_dir.join("checkpoints").join(BEST)).ok();
    let differences = [
        (sha256(whole) != sha256(parts), "the weights"),
        (timeless(whole) != timeless(parts), "summary.json"),
        (metrics(whole_dir)? != metrics(parts_dir)?, "metrics.jsonl"),
        (best(whole_dir) != best(parts_dir), "the best checkpoint"),
    ];
    Ok(differences.into_iter().find_map(|(differs, what)| differs.then_some(what)))
}

/// The lines of `metrics.jsonl`, without times.
fn metrics(run_dir: &Path) -> Result<Vec<Value>, Failure> {
    let path = run_dir.join("metrics.jsonl");
    let unreadable = |error: String| Failure::storage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    let timeless = |line: &str| -> Result<Value, Failure> {
        let mut record: Value = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
        if let Some(record) = record.as_object_mut() {
            record.retain(|key, _| key != "seconds" && key != "images_per_second");
        }
        Ok(record)
    };
    text.lines().map(timeless).collect()
}

fn tell(what: &str, summary: &Summary) -> Result<(), Failure> {
    let ema = summary.ema_sha256.as_ref().map_or_else(String::new, |sha256| format!("  average {sha256}"));
    output::line(format!("{what:13} step {:>4}  weights {}{ema}", summary.steps, summary.weights_sha256))
}
