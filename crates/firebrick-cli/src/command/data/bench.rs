//! `data bench`: how fast images are prepared, stage by stage, and whether training waits for them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use firebrick::data::{
    Cache, DataLoader, HostBatch, InputShape, LoaderOptions, StageTimes, measure_stages, open,
};
use firebrick::train::{Config, Plan, TrainState, fill_in_preparation};
use serde_json::json;

use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, Align};
use crate::resolve::overrides;
use crate::style::{counted, percent, rate};

/// What `data bench` takes.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// Config whose data and network are measured
    #[arg(value_name = "CONFIG")]
    config: PathBuf,

    /// Change a key of the config, as in --set data.workers=4; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// How long each of the four measurements takes
    #[arg(long, value_name = "S", default_value_t = 5.0, value_parser = seconds)]
    seconds: f64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=600.0).contains(seconds));
    seconds.ok_or_else(|| "expected 0.1 to 600 seconds".to_owned())
}

/// Images a second.
struct Rates {
    stages: StageTimes,
    /// The loader alone, which hands batches to nobody.
    loader: f64,
    /// Training steps alone, on one batch again and again.
    step: f64,
    /// Both together, as in a run.
    together: f64,
    /// The part of the time together in which the step waits for a batch.
    waiting: f64,
    workers: usize,
}

/// Measures and tells.
pub fn run(arguments: &BenchArguments) -> Result<Exit, Failure> {
    let mut config = Config::from_file(&arguments.config, &overrides(&arguments.set)?)?;
    fill_in_preparation(&mut config)?;
    let attended = Attended::new(Format::for_people())?;
    let rates = measure(&config, Duration::from_secs_f64(arguments.seconds), &attended)?;
    match arguments.json {
        true => output::json(&as_json(&rates))?,
        false => output::line(as_text(&rates))?,
    }
    Ok(Exit::Done)
}

fn measure(config: &Config, time: Duration, attended: &Attended) -> Result<Rates, Failure> {
    let [channels, height, width] = config.model.network.input_shape();
    let input = InputShape { channels, height, width };
    let seed = config.trainer.seed;
    attended.console.begin_stage("measuring each stage", None);
    let stages = measure_stages(&config.data, input, seed, time, &attended.progress());
    let stages = attended.finish(stages)?;
    attended.go_on()?;
    attended.console.begin_stage("measuring the loader", None);
    let loader = loader_rate(config, input, time, attended)?;
    attended.console.begin_stage("measuring the steps", None);
    let plan = attended.finish(Plan::new(config.clone(), "bench", &attended.progress()))?;
    let step = step_rate(&plan, time, attended)?;
    attended.console.begin_stage("measuring both together", None);
    let (together, waiting) = rate_together(&plan, time, attended)?;
    attended.console.clear();
    Ok(Rates { stages, loader, step, together, waiting, workers: config.data.workers })
}

/// The first epoch, without images that stay in memory; further ones where it is short.
fn loader_rate(
    config: &Config,
    input: InputShape,
    time: Duration,
    attended: &Attended,
) -> Result<f64, Failure> {
    let mut data = config.data.clone();
    data.cache = Cache::Off;
    let datasets = attended.finish(open(&data, input, config.trainer.seed, &attended.progress()))?;
    let options = LoaderOptions {
        batch_size: data.batch_size,
        shuffle: data.shuffle,
        seed: config.trainer.seed,
        workers: data.workers,
        drop_last: data.drop_last,
    };
    let loader = DataLoader::new(datasets.train, options);
    let begin = Instant::now();
    let mut images = 0;
    for epoch in 0.. {
        for batch in loader.epoch(epoch, 0) {
            images += attended.finish(batch)?.len();
            attended.go_on()?;
            if begin.elapsed() >= time {
                return Ok(images as f64 / begin.elapsed().as_secs_f64());
            }
        }
    }
    unreachable!("bug: the epochs ended")
}

fn step_rate(plan: &Plan, time: Duration, attended: &Attended) -> Result<f64, Failure> {
    let mut state = new_state(plan, attended)?;
    let batches = plan.training_batches(0, 0).next();
    let batches = batches.unwrap_or_else(|| unreachable!("bug: a plan without a batch"));
    let batches = attended.finish(batches)?;
    let images: usize = batches.iter().map(HostBatch::len).sum();
    // The first step makes what later ones reuse.
    attended.finish(state.step(batches.clone()))?;
    let begin = Instant::now();
    let mut steps = 0;
    while steps == 0 || begin.elapsed() < time && !state.is_finished() {
        attended.finish(state.step(batches.clone()))?;
        attended.go_on()?;
        steps += 1;
    }
    Ok((steps * images) as f64 / begin.elapsed().as_secs_f64())
}

/// Images a second of the loop of a run, and which part of the time it waits for batches.
fn rate_together(plan: &Plan, time: Duration, attended: &Attended) -> Result<(f64, f64), Failure> {
    let mut state = new_state(plan, attended)?;
    let mut batches = state.batches();
    let (begin, mut waited, mut images) = (Instant::now(), Duration::ZERO, 0);
    while begin.elapsed() < time && !state.is_finished() {
        attended.go_on()?;
        let started = Instant::now();
        let Some(next) = batches.next() else {
            batches = state.batches();
            waited += started.elapsed();
            continue;
        };
        waited += started.elapsed();
        let next = attended.finish(next)?;
        images += next.iter().map(HostBatch::len).sum::<usize>();
        attended.finish(state.step(next))?;
    }
    let whole = begin.elapsed().as_secs_f64();
    Ok((images as f64 / whole, waited.as_secs_f64() / whole))
}

fn new_state<'a>(
    plan: &'a Plan,
    attended: &Attended,
) -> Result<TrainState<'a, firebrick::models::Network>, Failure> {
    let model = attended.finish(plan.initial_model(&plan.backend.device))?;
    attended.finish(TrainState::new(plan, model))
}

fn per_second(images: usize, time: Duration) -> f64 {
    images as f64 / time.as_secs_f64()
}

fn as_json(rates: &Rates) -> serde_json::Value {
    let stages: serde_json::Map<String, serde_json::Value> = rates
        .stages
        .stages()
        .into_iter()
        .map(|(name, time)| {
            (name.to_owned(), json!(time.as_secs_f64() / rates.stages.num_images.max(1) as f64))
        })
        .collect();
    json!({
        "images_measured": rates.stages.num_images,
        "seconds_per_image": stages,
        "workers": rates.workers,
        "images_per_second": { "loader": rates.loader, "step": rates.step, "together": rates.together },
        "waiting_for_data": rates.waiting,
    })
}

fn as_text(rates: &Rates) -> String {
    let Rates { stages, loader, step, together, waiting, workers } = rates;
    let total = stages.total().as_secs_f64();
    let columns = [
        ("stage", Align::Left),
        ("images/s", Align::Right),
        ("ms an image", Align::Right),
        ("share", Align::Right),
    ];
    let row = |name: &str, time: Duration| {
        let images = per_second(stages.num_images, time);
        let milliseconds = time.as_secs_f64() * 1000.0 / stages.num_images.max(1) as f64;
        vec![name.to_owned(), rate(images), format!("{milliseconds:.3}"), percent(time.as_secs_f64() / total)]
    };
    let rows = stages.stages().into_iter().map(|(name, time)| row(name, time));
    let table = output::table(&columns, rows.chain([row("all", stages.total())]));
    let pairs = output::pairs([
        (
            "one core, one image after another",
            format!("{} images/s", rate(per_second(stages.num_images, stages.total()))),
        ),
        ("loader alone", format!("{} images/s, {}", rate(*loader), counted(*workers as u64, "worker"))),
        ("steps alone", format!("{} images/s", rate(*step))),
        ("both together", format!("{} images/s", rate(*together))),
        ("the step waits for data", percent(*waiting)),
    ]);
    format!("{table}\n\n{pairs}\n{}", verdict(rates))
}

/// Who waits for whom.
fn verdict(rates: &Rates) -> String {
    const MUCH: f64 = 0.05;
    if rates.waiting <= MUCH {
        return "the workers wait for the steps: faster data would not train faster".to_owned();
    }
    let slowest = rates.stages.stages().into_iter().max_by_key(|(_, time)| *time);
    let slowest = slowest.map_or("", |(name, _)| name);
    format!(
        "the steps wait for the workers: more of them (data.workers), or less to do in `{slowest}`, would train faster"
    )
}
