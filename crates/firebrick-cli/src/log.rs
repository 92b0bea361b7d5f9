//! What a run tells while it runs: a header, a line an epoch, and between them a bar or a line from
//! time to time; or its events as JSON.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use firebrick::component::text;
use firebrick::train::divergence::Action;
use firebrick::train::event::{
    Control, EvalRecord, Event, RefusedRecord, Split, Started, StepRecord, WeightsKind,
};
use firebrick::train::{Config, Observer};

use crate::console::{Console, Format};
use crate::message::warning;
use crate::progress::LINE_EVERY;
use crate::signal::Signals;
use crate::style::{counted, duration, loss, percent, rate, thousands};

/// How often the words beside the bar change.
const MESSAGE_EVERY: Duration = Duration::from_millis(150);

/// Listens to a run and asks it to stop after a signal.
pub struct TrainingLog {
    console: Console,
    signals: Signals,
    /// Names of what decides the run's numbers, for the header.
    recipe: String,
    run: Option<Started>,
    epoch: Epoch,
    begun: Instant,
    told: Instant,
    /// Nobody reads the JSON any more.
    json_closed: bool,
}

/// What the steps since the last evaluation add up to.
#[derive(Debug)]
struct Epoch {
    number: u64,
    begun: Instant,
    loss: f64,
    divisor: f64,
    correct: f64,
    images: u64,
    seconds: f64,
}

impl Epoch {
    fn new(number: u64) -> Self {
        Self { number, begun: Instant::now(), loss: 0.0, divisor: 0.0, correct: 0.0, images: 0, seconds: 0.0 }
    }

    fn add(&mut self, step: &StepRecord) {
        let images = step.images as f64;
        self.loss += step.loss * step.divisor;
        self.divisor += step.divisor;
        self.correct += step.accuracy * images;
        self.images += step.images as u64;
        self.seconds += images / step.images_per_second.max(f64::MIN_POSITIVE);
    }

    /// The loss and the accuracy over the images, and how many a second; nothing before the first.
    fn means(&self) -> Option<(f64, f64, f64)> {
        let images = self.images as f64;
        (self.images > 0).then(|| (self.loss / self.divisor, self.correct / images, images / self.seconds))
    }
}

impl TrainingLog {
    /// A log of a run by this config.
    pub fn new(console: Console, signals: Signals, config: &Config) -> Self {
        let now = Instant::now();
        Self {
            console,
            signals,
            recipe: recipe(config),
            run: None,
            epoch: Epoch::new(0),
            begun: now,
            told: now,
            json_closed: false,
        }
    }

    fn json(&mut self, event: &Event) {
        if self.json_closed || matches!(event, Event::Evaluating { .. }) {
            return;
        }
        let line = serde_json::to_string(event)
            .unwrap_or_else(|error| unreachable!("bug: an event that is no JSON: {error}"));
        let mut stdout = io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            // No reason to end the run: metrics.jsonl has every line.
            self.json_closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                let text = format!("standard output: cannot write: {error}; training goes on without it");
                self.console.line(&warning(&text, self.console.style()));
            }
        }
    }

    fn people(&mut self, event: &Event) {
        match event {
            Event::Started(run) => self.start(run),
            Event::Step(step) => self.step(step),
            Event::Evaluating { split, images, total } => self.evaluating(*split, *images, *total),
            Event::Eval(eval) => self.eval(eval),
            Event::Finished(_) => self.console.clear(),
            Event::Refused(_) | Event::Checkpoint(_) | Event::Notice { .. } => {}
        }
    }

    fn start(&mut self, run: &Started) {
        self.begun = Instant::now();
        self.told = self.begun;
        self.console.clear();
        for line in header(run, &self.recipe, &self.console) {
            self.console.line(&line);
        }
        self.console.line(&self.console.style().dim(&columns([
            "epoch",
            "train loss",
            match deciding_split(run) {
                Split::Validation => "valid loss",
                Split::Test => "test loss",
            },
            "accuracy",
            "images/s",
            "time",
        ])));
        self.run = Some(run.clone());
        self.begin_epoch(run.resumed_from_step / run.steps_per_epoch.max(1) + 1, run.resumed_from_step);
    }

    fn begin_epoch(&mut self, number: u64, step: u64) {
        self.epoch = Epoch::new(number);
        let run = started(&self.run);
        let first = (number - 1).saturating_mul(run.steps_per_epoch);
        let length = run.steps_per_epoch.min(run.total_steps.saturating_sub(first));
        if step < run.total_steps {
            self.console.begin_epoch(
                &format!("epoch {number}/{}", run.epochs),
                step.saturating_sub(first),
                length,
            );
        }
    }

    fn step(&mut self, step: &StepRecord) {
        if step.epoch != self.epoch.number {
            self.begin_epoch(step.epoch, step.step.saturating_sub(1));
        }
        self.epoch.add(step);
        let run = started(&self.run);
        let in_epoch = step.step - (step.epoch - 1).saturating_mul(run.steps_per_epoch).min(step.step);
        let every = match self.console.format() {
            Format::Bar => {
                self.console.position(in_epoch);
                MESSAGE_EVERY
            }
            Format::Lines | Format::Json | Format::Quiet => LINE_EVERY,
        };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let Some((loss_mean, accuracy, speed)) = self.epoch.means() else { return };
        let numbers = format!(
            "loss {}  acc {}  {}/s  {} left",
            loss(loss_mean),
            percent(accuracy),
            rate(speed),
            self.left(run, step.step),
        );
        match self.console.format() {
            Format::Bar => self.console.message(numbers),
            Format::Lines | Format::Json | Format::Quiet => {
                let place = format!("step {}/{}", thousands(step.step), thousands(run.total_steps));
                self.console.line(&self.console.style().dim(&format!("{:9}{place}  {numbers}", "")));
            }
        }
    }

    /// Time to the end of the run at the mean pace so far, evaluations included.
    fn left(&self, run: &Started, step: u64) -> String {
        let done = step.saturating_sub(run.resumed_from_step).max(1);
        let left = run.total_steps.saturating_sub(step);
        let seconds = self.begun.elapsed().as_secs_f64() / done as f64 * left as f64;
        Duration::try_from_secs_f64(seconds).map_or_else(|_| "?".to_owned(), duration)
    }

    fn evaluating(&mut self, split: Split, images: usize, total: usize) {
        if self.console.format() == Format::Bar && self.told.elapsed() >= MESSAGE_EVERY {
            self.told = Instant::now();
            let verb = match split {
                Split::Validation => "validating",
                Split::Test => "testing",
            };
            self.console.message(format!("{verb} {images}/{total}"));
        }
    }

    /// A line of the table, which has the split that decides. Another one is evaluated at the end alone, and
    /// the last lines say what came of it.
    fn eval(&mut self, eval: &EvalRecord) {
        if eval.split != deciding_split(started(&self.run)) {
            return;
        }
        if eval.weights == WeightsKind::Ema {
            let (loss, accuracy) = (loss(eval.loss), percent(eval.accuracy));
            self.console.line(&columns(["average", "", &loss, &accuracy, "", ""]));
            return;
        }
        let epochs = started(&self.run).epochs;
        let means = self.epoch.means();
        let line = columns([
            &format!("{}/{epochs}", eval.epoch),
            &means.map_or_else(|| "-".to_owned(), |(loss_mean, _, _)| loss(loss_mean)),
            &loss(eval.loss),
            &percent(eval.accuracy),
            &means.map_or_else(|| "-".to_owned(), |(_, _, speed)| rate(speed)),
            &duration(self.epoch.begun.elapsed()),
        ]);
        self.console.line(&line);
        self.begin_epoch(eval.epoch + 1, eval.step);
    }
}

impl Observer for TrainingLog {
    fn on_event(&mut self, event: &Event) -> Control {
        match self.console.format() {
            Format::Json => self.json(event),
            Format::Quiet => {}
            Format::Bar | Format::Lines => self.people(event),
        }
        if let Some(message) = warning_of(event) {
            self.console.line(&warning(&message, self.console.style()));
        }
        match self.signals.received() {
            Some(_) => Control::Stop,
            None => Control::Continue,
        }
    }
}

/// The run that the first event told of.
fn started(run: &Option<Started>) -> &Started {
    run.as_ref().unwrap_or_else(|| unreachable!("bug: an event of a run that has not started"))
}

/// The split whose evaluations choose the best checkpoint.
fn deciding_split(run: &Started) -> Split {
    if run.num_validation > 0 { Split::Validation } else { Split::Test }
}

/// What a person must hear even when everything else is silent.
fn warning_of(event: &Event) -> Option<String> {
    match event {
        Event::Notice { message } => Some(message.clone()),
        Event::Refused(RefusedRecord { step, what, value, action, .. }) => {
            let next = match action {
                Action::Restored { step } => format!("went back to the weights of step {}", thousands(*step)),
                Action::SkippedBatch | Action::Stopped => "skipped its update".to_owned(),
            };
            Some(format!("step {}: {what} is {value}; {next}; diverged.json says more", thousands(*step)))
        }
        Event::Started(_)
        | Event::Step(_)
        | Event::Evaluating { .. }
        | Event::Eval(_)
        | Event::Checkpoint(_)
        | Event::Finished(_) => None,
    }
}

fn columns(cells: [&str; 6]) -> String {
    let [epoch, train_loss, test_loss, accuracy, speed, time] = cells;
    format!("{epoch:>7}  {train_loss:>10}  {test_loss:>10}  {accuracy:>8}  {speed:>9}  {time:>8}")
}

/// Loss, optimiser and schedule in a few words.
fn recipe(config: &Config) -> String {
    let mut words = format!(
        "{}, {} with lr {}",
        config.loss.name(),
        config.optimizer.name(),
        text::number(config.optimizer.lr())
    );
    match config.schedule.name() {
        "none" => {}
        schedule => words.push_str(&format!(", {schedule} schedule")),
    }
    words
}

fn header(run: &Started, recipe: &str, console: &Console) -> Vec<String> {
    let style = console.style();
    let step_images = match run.batches_per_step {
        1 => run.batch_size.to_string(),
        batches => format!("{batches} x {}", run.batch_size),
    };
    let epochs = format!(
        "{} of {} of {step_images} images",
        counted(run.epochs, "epoch"),
        counted(run.steps_per_epoch, "step"),
    );
    let epochs = if run.total_steps < run.epochs.saturating_mul(run.steps_per_epoch) {
        format!("{epochs}, ending at step {}", thousands(run.total_steps))
    } else {
        epochs
    };
    let mut pairs = vec![
        ("model", model(run)),
        ("data", images(run)),
        ("input", wrapped(&run.transforms)),
        ("training", format!("{epochs}; {recipe}")),
        ("best by", best_by(run)),
        ("device", format!("{} ({})", run.backend, run.device)),
        ("run", text::path(&run.run_dir)),
    ];
    if run.resumed_from_step > 0 {
        pairs.push(("resumed", format!("after step {}", thousands(run.resumed_from_step))));
    }
    let lines =
        pairs.into_iter().map(|(name, value)| format!("{}  {value}", style.bold(&format!("{name:>8}"))));
    lines.chain([String::new()]).collect()
}

/// The network, and how many numbers are trained.
fn model(run: &Started) -> String {
    let trained = match run.num_trained == run.num_parameters {
        true => String::new(),
        false => format!(", {} of them trained", thousands(run.num_trained as u64)),
    };
    format!("{}, {}{trained}", run.model, counted(run.num_parameters as u64, "parameter"))
}

/// The data set and how many images are for what.
fn images(run: &Started) -> String {
    let train = counted(run.num_train as u64, "image");
    let test = thousands(run.num_test as u64);
    match deciding_split(run) {
        Split::Validation => {
            let validation = thousands(run.num_validation as u64);
            format!("{}, {train} to train, {validation} to validate and {test} to test", run.dataset)
        }
        Split::Test => format!("{}, {train} to train and {test} to test", run.dataset),
    }
}

/// Which split chooses the best checkpoint.
fn best_by(run: &Started) -> String {
    match deciding_split(run) {
        Split::Validation => "validation accuracy".to_owned(),
        Split::Test => {
            "test accuracy, as there is no validation split (data.validation = 0.1 makes one)".to_owned()
        }
    }
}

/// Steps in as few lines as are comfortable to read, below each other.
fn wrapped(steps: &[String]) -> String {
    const WIDTH: usize = 88;
    let mut lines = vec![String::new()];
    for (index, step) in steps.iter().enumerate() {
        let comma = if index + 1 < steps.len() { ", " } else { "" };
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len() + step.len() < WIDTH => {
                line.push_str(&format!("{step}{comma}"))
            }
            _ => lines.push(format!("{step}{comma}")),
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join(&format!("\n{:10}", ""))
}
