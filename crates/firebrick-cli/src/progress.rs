//! What the data part tells a person while it reads or downloads.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use firebrick::data::{Progress, offline_by_environment};

use crate::console::{Console, Format};
use crate::signal::Signals;
use crate::style::{duration, thousands};

/// How often lines tell that something is still going on.
pub const LINE_EVERY: Duration = Duration::from_secs(15);
/// A stage shorter than this needs no line.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// Tells a person about reading, decoding and downloading, and asks to stop after a signal.
#[derive(Debug)]
pub struct DataProgress {
    console: Console,
    signals: Signals,
    offline: bool,
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
    /// Tells it on this console; nothing is fetched if `offline`.
    pub fn new(console: Console, signals: Signals, offline: bool) -> Self {
        Self { console, signals, offline, stage: Mutex::new(Stage::new("", None)) }
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
    fn new(message: &str, total: Option<u64>) -> Self {
        let now = Instant::now();
        Self { message: message.to_owned(), total, done: 0, begun: now, told: now }
    }

    fn line(&self) -> String {
        let took = duration(self.begun.elapsed());
        match self.total {
            Some(total) if total > 0 => {
                let percent = self.done.min(total) as f64 / total as f64 * 100.0;
                format!("{}: {percent:.0}% after {took}", self.message)
            }
            Some(_) | None => format!("{}: {} after {took}", self.message, thousands(self.done)),
        }
    }
}

impl Progress for DataProgress {
    fn stage(&self, message: &str, total: Option<u64>) {
        // The stage is replaced as a whole, so it does not matter that a thread may have panicked with the lock held.
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Stage::new(message, total);
        if total.is_none() {
            // What has no length is often over already: a file that was found, checked, kept.
            self.console.news(&self.console.style().dim(message));
        }
        if self.console.format() == Format::Bar {
            self.console.begin_stage(message, total);
        }
    }

    fn advance(&self, delta: u64) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.done = stage.done.saturating_add(delta);
        match self.console.format() {
            Format::Bar => self.console.advance(delta),
            Format::Lines => self.tell_line(&mut stage),
            Format::Json | Format::Quiet => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.signals.received().is_some()
    }

    fn is_offline(&self) -> bool {
        self.offline || offline_by_environment()
    }
}
