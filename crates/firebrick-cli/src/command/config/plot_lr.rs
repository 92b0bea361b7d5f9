//! `config plot-lr`: the learning rate of every step, drawn in the terminal or as SVG.

use std::path::{Path, PathBuf};

use clap::Args;
use firebrick::train::schedule::Schedule;
use firebrick::train::{Config, Plan};
use firebrick_report::{LineChart, Series};

use crate::attended::Attended;
use crate::console::{Format, say};
use crate::exit::Exit;
use crate::message::{Failure, warning};
use crate::output::{self, refuse_existing};
use crate::resolve::{cpu_backend, overrides, read_config};
use crate::style::{Style, counted};

/// Size of the drawing in the terminal, in characters; its axes come on top.
const WIDTH: usize = 64;
const HEIGHT: usize = 13;
/// More points than pixels show nothing more.
const MAX_POINTS: u64 = 4000;

/// What `config plot-lr` takes.
#[derive(Debug, Args)]
pub struct PlotLrArguments {
    /// Config file [default: the compiled-in configs/quickstart.toml]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Change a key, as in --set schedule.name=cosine; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    pub set: Vec<String>,

    /// Draw into this SVG file instead; it must not exist
    #[arg(long, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,

    /// Steps in one epoch, for when the data is not there to count them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps_per_epoch: Option<u64>,
}

/// How long the run is, in optimiser steps.
struct Length {
    total: u64,
    /// Of all epochs, whatever `trainer.max_steps` says.
    schedule: u64,
    per_epoch: u64,
}

/// Draws.
pub fn run(arguments: &PlotLrArguments) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.output {
        refuse_existing(path, "--output")?;
    }
    let (config, name) = read_config(arguments.file.as_deref(), &overrides(&arguments.set)?)?;
    let length = match arguments.steps_per_epoch {
        Some(per_epoch) => given(&config, per_epoch),
        None => counted_in_data(&config, &name)?,
    };
    let schedule = Schedule::new(&config.schedule, config.optimizer.lr(), length.schedule, length.per_epoch)
        .map_err(firebrick::train::TrainError::from)?;
    if schedule.watches().is_some() {
        let text = "plateau waits for the evaluations of a run: drawn as if they got better and better";
        say(&warning(text, Style::stderr()));
    }
    let chart = chart(&config, &schedule, &length);
    match &arguments.output {
        Some(path) => {
            let svg = chart.to_svg().map_err(|error| Failure::storage(error.to_string()))?;
            write(path, &svg)?;
            output::line(path.display())?;
        }
        None => output::line(format!("{}\n\n{}", chart.title, chart.to_text(WIDTH, HEIGHT)))?,
    }
    Ok(Exit::Done)
}

fn given(config: &Config, per_epoch: u64) -> Length {
    let all = per_epoch.saturating_mul(config.trainer.epochs);
    let total = config.trainer.max_steps.map_or(all, |limit| limit.min(all));
    Length { total, schedule: all, per_epoch }
}

/// Opens the data as training does, but fetches nothing and wakes no GPU.
fn counted_in_data(config: &Config, name: &str) -> Result<Length, Failure> {
    let mut config = config.clone();
    config.data.download = false;
    config.trainer.backend = cpu_backend();
    let attended = Attended::new(Format::for_people())?;
    match attended.finish(Plan::new(config, name, &attended.progress())) {
        Ok(plan) => Ok(Length {
            total: plan.total_steps,
            schedule: plan.schedule_steps,
            per_epoch: plan.steps_per_epoch,
        }),
        Err(Failure::Train(error)) if error.kind() == firebrick::train::ErrorKind::Data => {
            let text = format!("the steps of an epoch cannot be counted: {error}");
            let refused = Failure::Refused { exit: Exit::Data, text, hint: None };
            Err(refused.hint("say them with --steps-per-epoch N"))
        }
        Err(other) => Err(other),
    }
}

fn chart(config: &Config, schedule: &Schedule, length: &Length) -> LineChart {
    let last = length.total.saturating_sub(1);
    let num_points = length.total.min(MAX_POINTS);
    // Evenly spread over the steps, the first and the last among them.
    let step = |index: u64| match num_points {
        0 | 1 => 0,
        _ => (u128::from(index) * u128::from(last) / u128::from(num_points - 1)) as u64,
    };
    let points = (0..num_points).map(step).map(|step| ((step + 1) as f64, schedule.lr(step))).collect();
    let title = format!(
        "{} schedule, {}, {} an epoch",
        config.schedule.name(),
        counted(length.total, "step"),
        counted(length.per_epoch, "step")
    );
    LineChart {
        title,
        x_label: "step".to_owned(),
        y_label: "learning rate".to_owned(),
        series: vec![Series { name: config.schedule.name().to_owned(), points }],
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::storage(format!("{}: cannot write: {error}", path.display())))
}
