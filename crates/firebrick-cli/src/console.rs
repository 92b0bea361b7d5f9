//! Standard error for people: lines, and a bar below them on a terminal.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::style::Style;

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines with a bar below them, on a terminal.
    Bar,
    /// Lines alone.
    Lines,
    /// One JSON object an event on standard output.
    Json,
    /// Warnings only.
    Quiet,
}

impl Format {
    /// For commands whose result is on standard output: a bar if standard error is a terminal.
    pub fn for_people() -> Self {
        if io::stderr().is_terminal() { Self::Bar } else { Self::Lines }
    }
}

/// Writes a line to standard error.
pub fn say(text: &str) {
    // A closed standard error is no reason to stop a run, and there is nowhere to say it.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Redraws a second: as often as a person can read, whatever the speed of the steps.
const REDRAWS_HZ: u8 = 10;

// Made to fit 80 columns, time left included, up to epoch 10/10 of 999 steps.
const TRAINING: &str = "{prefix} {bar:12.cyan/dim} {pos}/{len}  {wide_msg}";
const READING: &str = "{bar:12.cyan/dim} {percent:>3}%  {wide_msg}";
const COUNTING: &str = "{spinner:.cyan} {pos}  {wide_msg}";

/// Where lines and the bar go. Clones share the bar.
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
            Format::Lines | Format::Json | Format::Quiet => ProgressDrawTarget::hidden(),
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

    /// Begins the bar of something that is read or fetched; without `total` it only counts.
    pub fn begin_stage(&self, message: &str, total: Option<u64>) {
        self.bar.reset();
        match total {
            Some(total) => {
                self.bar.set_style(style_of(READING));
                self.bar.set_length(total);
            }
            None => {
                self.bar.set_style(style_of(COUNTING));
                self.bar.unset_length();
            }
        }
        self.bar.set_message(message.to_owned());
    }

    /// Moves the bar to a position.
    pub fn position(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Moves the bar on.
    pub fn advance(&self, delta: u64) {
        self.bar.inc(delta);
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
    ProgressStyle::with_template(template)
        .unwrap_or_else(|error| unreachable!("bug: the bar's template `{template}` does not parse: {error}"))
        .progress_chars("━━─")
}
