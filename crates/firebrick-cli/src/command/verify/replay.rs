//! `verify --replay CONFIG`: a short run twice, once without a stop and once with several, to the same bits.

use std::path::Path;

use firebrick::Trainer;
use firebrick::train::config::Override;
use firebrick::train::event::{Control, Event, Summary};
use firebrick::train::run_folder::Resume;
use firebrick::train::{Config, Status};

use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::{overrides, read_config};

/// Enough for an optimiser's state to matter; `--set trainer.max_steps=N` replays more.
const STEPS: &str = "12";
/// How often the second run is stopped and gone on with.
const STOPS: u64 = 3;

/// Trains both and compares.
pub fn run(config: &Path, set: &[String]) -> Result<Exit, Failure> {
    let mut sets = vec![Override::new("trainer.max_steps", STEPS)];
    sets.extend(overrides(set)?);
    let (config, _) = read_config(Some(config), &sets)?;
    let attended = Attended::new(Format::for_people())?;
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::storage(format!("cannot create a folder for the replay: {error}")))?;
    let (_, whole) = train(&attended, &config, &folder.path().join("whole"), None)?;
    tell("never stopped", &whole)?;
    let parts = folder.path().join("parts");
    for stop in 1..=STOPS {
        let step = (stop * whole.steps).div_ceil(STOPS + 1);
        let (status, summary) = train(&attended, &config, &parts, Some(step))?;
        if status == Status::Stopped {
            tell("stopped", &summary)?;
        }
    }
    let (_, resumed) = train(&attended, &config, &parts, None)?;
    tell("resumed", &resumed)?;
    let end = |summary: &Summary| (summary.steps, summary.weights_sha256.clone(), summary.ema_sha256.clone());
    if end(&whole) == end(&resumed) {
        output::line("equal: the resumed run is the run that was never stopped")?;
        return Ok(Exit::Done);
    }
    Err(Failure::storage("the resumed run ended with other weights than the run that was never stopped"))
}

/// Goes on with the run in `run_dir`, or starts it, until its end or until `stop_at` steps are done.
fn train(
    attended: &Attended,
    config: &Config,
    run_dir: &Path,
    stop_at: Option<u64>,
) -> Result<(Status, Summary), Failure> {
    let asked = |event: &Event| match event {
        Event::Step(step) if Some(step.step) == stop_at => Control::Stop,
        _ if attended.signals.received().is_some() => Control::Stop,
        _ => Control::Continue,
    };
    let trainer = Trainer::new(config.clone())
        .run_dir(run_dir)
        .resume(Resume::Latest)
        .on_progress(attended.progress())
        .on_event(asked);
    let outcome = attended.finish(trainer.run())?;
    attended.go_on()?;
    Ok((outcome.status, outcome.summary))
}

fn tell(what: &str, summary: &Summary) -> Result<(), Failure> {
    let ema = summary.ema_sha256.as_ref().map_or_else(String::new, |sha256| format!("  average {sha256}"));
    output::line(format!("{what:13} step {:>4}  weights {}{ema}", summary.steps, summary.weights_sha256))
}
