//! The bar at the bottom of a terminal, and what the data part tells while it reads or downloads.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use firebrick::data::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::log::{Format, say};
use crate::signal::Signals;
use crate::style::{Style, duration, thousands};

/// Redraws a second: as often as a person can read, whatever the speed of the steps.
const REDRAWS_HZ: u8 = 10;
/// How often lines tell that something is still going on.
pub const LINE_EVERY: Duration = Duration::from_secs(15);
/// A stage shorter than this needs no line.
const WORTH_TELLING: Duration = Duration::from_secs(2);

// Made to fit 80 columns, time left included, up to epoch 10/10 of 999 steps.
const TRAINING: &str = "{prefix} {bar:12.cyan/dim} {pos}/{len}  {wide_msg}";
const READING: &str = "{bar:12.cyan/dim} {percent:>3}%  {wide_msg}";
const COUNTING: &str = "{spinner:.cyan} {pos}  {wide_msg}";

/// Standard error for people: lines above, a bar below them on a terminal. Clones share the bar.
#[derive(Debug, Clone)]
pub struct Console {
    bar: ProgressBar,
    format: Format,
    style: Style,
}

impl Console {
    /// A console without a bar yet.
    pub fn new(format: Format) -> Self {
        let target = match format {
            Format::Bar => ProgressDrawTarget::stderr_with_hz(REDRAWS_HZ),
            _ => ProgressDrawTarget::hidden(),
        };
        // An unfinished bar without length draws nothing before its first position.
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style_of(COUNTING));
        Self { bar, format, style: Style::stderr() }
    }

    /// Colours of standard error.
    pub fn style(&self) -> Style {
        self.style
    }

    /// How progress is told.
    pub fn format(&self) -> Format {
        self.format
    }

    /// A line above the bar.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }

    /// A line above the bar, for people who did not ask for silence.
    pub fn news(&self, text: &str) {
        if matches!(self.format, Format::Bar | Format::Lines) {
            self.line(text);
        }
    }

    /// Begins the bar of an epoch that is `done` of `total` steps long already.
    pub fn begin_epoch(&self, name: &str, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_prefix(name.to_owned());
        self.bar.set_message("");
        self.bar.set_style(style_of(TRAINING));
        self.bar.reset();
        self.bar.set_position(done);
    }

    /// Moves the bar.
    pub fn position(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Changes what stands beside the bar.
    pub fn message(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn style_of(template: &str) -> ProgressStyle {
    // A template of ours that does not parse would be seen at once; the plain bar is still a bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

/// Tells a person about reading, decoding and downloading, and asks to stop after a signal.
#[derive(Debug)]
pub struct DataProgress {
    console: Console,
    signals: Signals,
    stage: Mutex<Stage>,
}

#[derive(Debug)]
struct Stage {
    message: String,
    total: Option<u64>,
    done: u64,
    begun: Instant,
    told: Instant,
}

impl DataProgress {
    /// Tells it on this console.
    pub fn new(console: Console, signals: Signals) -> Self {
        let now = Instant::now();
        let stage = Stage { message: String::new(), total: None, done: 0, begun: now, told: now };
        Self { console, signals, stage: Mutex::new(stage) }
    }

    fn tell_line(&self, stage: &mut Stage) {
        let due = match stage.told == stage.begun {
            true => stage.begun.elapsed() >= WORTH_TELLING,
            false => stage.told.elapsed() >= LINE_EVERY,
        };
        if due {
            stage.told = Instant::now();
            self.console.news(&stage.line());
        }
    }
}

impl Stage {
    fn line(&self) -> String {
        let took = duration(self.begun.elapsed());
        match self.total {
            Some(total) if total > 0 => {
                let percent = self.done.min(total) as f64 / total as f64 * 100.0;
                format!("{}: {percent:.0}% after {took}", self.message)
            }
            _ => format!("{}: {} after {took}", self.message, thousands(self.done)),
        }
    }
}

impl Progress for DataProgress {
    fn stage(&self, message: &str, total: Option<u64>) {
        let Ok(mut stage) = self.stage.lock() else { return };
        let now = Instant::now();
        *stage = Stage { message: message.to_owned(), total, done: 0, begun: now, told: now };
        if total.is_none() {
            // What has no length is often over already: a file that was found, checked, kept.
            self.console.news(&self.console.style().dim(message));
        }
        if self.console.format() != Format::Bar {
            return;
        }
        let bar = &self.console.bar;
        bar.reset();
        match total {
            Some(total) => {
                bar.set_style(style_of(READING));
                bar.set_length(total);
            }
            None => {
                bar.set_style(style_of(COUNTING));
                bar.unset_length();
            }
        }
        bar.set_message(message.to_owned());
    }

    fn advance(&self, delta: u64) {
        let Ok(mut stage) = self.stage.lock() else { return };
        stage.done = stage.done.saturating_add(delta);
        match self.console.format() {
            Format::Bar => self.console.bar.inc(delta),
            Format::Lines => self.tell_line(&mut stage),
            Format::Json | Format::Quiet => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.signals.received().is_some()
    }
}
