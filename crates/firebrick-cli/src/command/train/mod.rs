//! `train`: runs a config from start to end, telling how it goes.

mod arguments;
mod folder;

pub use arguments::TrainArguments;

use std::time::Duration;

use firebrick::Trainer;
use firebrick::component::text;
use firebrick::train::event::{Event, Summary};
use firebrick::train::{Observer, Outcome, Status};

use crate::attended::Attended;
use crate::command::evaluate::{self, EvaluateArguments};
use crate::command::train::arguments::TrainRequest;
use crate::console::Format;
use crate::exit::Exit;
use crate::log::TrainingLog;
use crate::message::{Failure, firebrick_command};
use crate::output;
use crate::shell;
use crate::style::{Style, counted, duration, loss, percent, rate, thousands};

/// Trains; the summary goes to standard output.
pub fn run(arguments: TrainArguments) -> Result<Exit, Failure> {
    let format = arguments.format();
    let attended = Attended::new(format)?.on(arguments.network);
    let TrainRequest { config, name, location, recipe } = arguments.resolve(&attended)?;
    if let Some((recipe, set)) = &recipe {
        attended.console.news(&folder::told(recipe, set, attended.console.style()));
    }
    let mut log = TrainingLog::new(attended.console.clone(), attended.signals.clone(), &config);
    let mut trainer = Trainer::new(config)
        .name(name)
        .resume(location.resume)
        .on_progress(attended.progress())
        .on_event(|event: &Event| log.on_event(event));
    if let Some(run_dir) = location.run_dir {
        trainer = trainer.run_dir(run_dir);
    }
    let outcome = attended.finish(trainer.run())?;
    match (outcome.status, attended.signals.received()) {
        (Status::Stopped, Some(signal)) => {
            if format != Format::Json {
                attended.console.line(&stopped(&outcome, signal.name()));
            }
            Ok(Exit::Stopped(signal))
        }
        _ => {
            if format != Format::Json {
                if recipe.is_some() {
                    output::line("")?;
                    evaluate::run_attended(&EvaluateArguments::of(&outcome.run_dir), &attended)?;
                }
                output::line(completed(&outcome, recipe.is_some()))?;
            }
            Ok(Exit::Done)
        }
    }
}

fn stopped<M>(outcome: &Outcome<M>, signal: &str) -> String {
    let run = shell::quoted(&outcome.run_dir.display().to_string());
    let saved = match outcome.summary.steps {
        0 => "before the first step".to_owned(),
        steps => format!("after step {}, with a checkpoint saved", thousands(steps)),
    };
    let command = format!("{} train --resume={run}", firebrick_command());
    format!("\nstopped by {signal} {saved}\ngo on with: {}", Style::stderr().cyan(&command))
}

fn completed<M>(outcome: &Outcome<M>, of_folder: bool) -> String {
    let (style, summary) = (Style::stdout(), &outcome.summary);
    let run = shell::path(&outcome.run_dir);
    let mut pairs = vec![("completed", amount(summary))];
    let split = summary.split;
    if let Some(best) = &summary.best {
        let text = format!("{} {split} accuracy, epoch {}", percent(best.accuracy), best.epoch);
        pairs.push(("best", style.green(&text)));
    }
    if let Some(last) = &summary.last {
        pairs.push((
            "final",
            format!("{} {split} accuracy, {split} loss {}", percent(last.accuracy), loss(last.loss)),
        ));
    }
    for (label, value) in &summary.metrics {
        pairs.push((label.as_str(), format!("{value:.4}")));
    }
    if let Some(ema) = &summary.ema {
        let text = format!("{} {split} accuracy, {split} loss {}", percent(ema.accuracy), loss(ema.loss));
        pairs.push(("average", text));
    }
    if let Some(test) = &summary.test {
        let text = format!("{} test accuracy, test loss {}", percent(test.accuracy), loss(test.loss));
        pairs.push(("test", text));
        if let Some(ema) = &test.ema {
            let text = format!("{} with the average, test loss {}", percent(ema.accuracy), loss(ema.loss));
            pairs.push(("", text));
        }
    }
    pairs.push(("run", text::path(&outcome.run_dir)));
    let firebrick = firebrick_command();
    pairs.push(("next", style.cyan(&format!("{firebrick} evaluate {run}"))));
    pairs.push(("", style.cyan(&format!("{firebrick} predict {run} IMAGE"))));
    if of_folder {
        pairs.push(("", style.cyan(&format!("{firebrick} export {run}"))));
    }
    format!("\n{}", output::pairs(pairs))
}

fn amount(summary: &Summary) -> String {
    // A clock counted them, and summary.json is read only if it was whole.
    let took = Duration::try_from_secs_f64(summary.seconds).map_or_else(|_| "?".to_owned(), duration);
    format!(
        "{}, {} in {} ({} images/s)",
        counted(summary.epochs, "epoch"),
        counted(summary.steps, "step"),
        took,
        rate(summary.images_per_second)
    )
}
