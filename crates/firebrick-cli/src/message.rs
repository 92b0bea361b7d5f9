//! What went wrong, said to a person: what, where, expected, got, how to mend it.
//!
//! One `error:` line, the excerpt of the config file if there is one, one `hint:` line. No
//! backtraces, no boxes around it.

use std::fmt;
use std::io;
use std::ops::Range;

use firebrick::component::text;
use firebrick::data::DataError;
use firebrick::models::weights::WeightsError;
use firebrick::train::TrainError;
use firebrick::train::backend::BackendError;
use firebrick::train::config::ConfigError;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use crate::console::say;
use crate::exit::Exit;
use crate::signal::Signal;
use crate::style::Style;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub enum Failure {
    /// The command line itself; also `--help` and `--version`, which are no failures.
    Arguments(clap::Error),
    /// A library refused.
    Train(Box<TrainError>),
    /// The command line refused.
    Refused {
        /// What it is for the shell.
        exit: Exit,
        /// What, where, expected, got.
        text: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// Standard output cannot be written.
    Output(io::Error),
    /// A signal came before there was anything to save.
    Stopped(Signal),
}

impl Failure {
    /// Wrong usage.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Refused { exit: Exit::Usage, text: text.into(), hint: None }
    }

    /// A file of ours that cannot be written or read.
    pub fn storage(text: impl Into<String>) -> Self {
        Self::Refused { exit: Exit::Storage, text: text.into(), hint: None }
    }

    /// The same with a way to mend it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Refused { exit, text, .. } => Self::Refused { exit, text, hint: Some(hint.into()) },
            other => other,
        }
    }

    /// Tells it, on standard error unless it is help, and says how the process should end.
    pub fn report(self) -> Exit {
        let style = Style::stderr();
        match self {
            Self::Arguments(error) => report_arguments(&error),
            Self::Train(error) => {
                say(&describe(&error, style));
                error.kind().into()
            }
            Self::Refused { exit, text, hint } => {
                say(&headline(&text, hint.as_deref(), style));
                exit
            }
            Self::Output(error) => report_output(&error, style),
            Self::Stopped(signal) => {
                say(&format!("stopped by {}; nothing was begun that would need saving", signal.name()));
                Exit::Stopped(signal)
            }
        }
    }
}

/// Something that a person should know though it stops nothing.
pub fn warning(text: &str, style: Style) -> String {
    format!("{}: {}", style.yellow("warning"), text::lines(text))
}

/// How to start `firebrick` the way this process was started, for hints.
pub fn firebrick_command() -> &'static str {
    // Cargo sets it for what it runs; nobody who uses `cargo run` has the binary in the PATH.
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(_) => "cargo run --bin firebrick --",
        None => "firebrick",
    }
}

fn report_arguments(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        let _ = error.print();
        return Exit::Usage;
    }
    match error.print() {
        Ok(()) => Exit::Done,
        Err(error) => report_output(&error, Style::stderr()),
    }
}

/// A reader that has seen enough (`| head`) closes the pipe; that is no failure.
fn report_output(error: &io::Error, style: Style) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    say(&headline(&format!("standard output: cannot write: {error}"), None, style));
    Exit::Storage
}

fn headline(text: &str, hint: Option<&str>, style: Style) -> String {
    let mut lines = format!("{}: {}", style.red("error"), text::lines(text));
    if let Some(hint) = hint {
        lines.push_str(&format!("\n{}: {}", style.cyan("hint"), text::lines(hint)));
    }
    lines
}

fn describe(error: &TrainError, style: Style) -> String {
    match error {
        TrainError::Config(ConfigError::Invalid { place, message, hint, text, name, span }) => {
            match excerpt(text, name, span, style) {
                Some(excerpt) => {
                    let first = headline(message, None, style);
                    let hint = hint.as_ref().map(|hint| format!("\n{}: {hint}", style.cyan("hint")));
                    [first, format!("\n{excerpt}")].into_iter().chain(hint).collect()
                }
                None => headline(&format!("{place}: {message}"), hint.as_deref(), style),
            }
        }
        other => headline(&other.to_string(), None, style),
    }
}

/// The lines around `span`, or nothing when the place is not in the file: an override, or a table
/// that is missing.
fn excerpt(text: &str, name: &str, span: &Range<usize>, style: Style) -> Option<String> {
    if text.is_empty() || *span == (0..0) {
        return None;
    }
    let excerpt = Excerpt {
        source: NamedSource::new(text::one_line(name), printable(text)),
        span: first_line_of(text, span),
    };
    let theme =
        if style.has_colour() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut rendered = String::new();
    GraphicalReportHandler::new_themed(theme)
        .without_syntax_highlighting()
        .with_links(false)
        .render_report(&mut rendered, &excerpt)
        .ok()?;
    // The first line holds the excerpt's message, which is empty: the headline is ours.
    let (_, lines) = rendered.split_once('\n')?;
    let lines: Vec<&str> = lines.trim_end().lines().map(str::trim_end).collect();
    Some(lines.join("\n"))
}

/// The text with something visible, of as many bytes, in place of each control character.
fn printable(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\t' => character.to_string(),
        '\r' => " ".to_owned(),
        _ if text::one_line(&character.to_string()) == character.to_string() => character.to_string(),
        _ => "?".repeat(character.len_utf8()),
    };
    text.chars().map(shown).collect()
}

/// A table's span is all of its lines; its first says enough.
fn first_line_of(text: &str, span: &Range<usize>) -> Range<usize> {
    let line = text.get(span.clone()).and_then(|part| part.lines().next());
    span.start..span.start + line.map_or(0, str::len).max(1).min(text.len() - span.start.min(text.len()))
}

/// The part of a file that miette draws.
#[derive(Debug)]
struct Excerpt {
    source: NamedSource<String>,
    span: Range<usize>,
}

impl fmt::Display for Excerpt {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt {}

impl Diagnostic for Excerpt {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span.clone()))))
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Arguments(error)
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        Self::Train(Box::new(error))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        TrainError::from(error).into()
    }
}
