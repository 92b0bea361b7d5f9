//! One file a command: each resolves its arguments, calls the libraries and prints the result.

pub mod config;
pub mod data;
pub mod devices;
pub mod evaluate;
pub mod export;
pub mod loss;
pub mod predict;
pub mod summary;
pub mod train;
pub mod verify;

use firebrick::data::DataError;
use firebrick::train::TrainError;
use firebrick::train::backend::own_process;

use crate::args::Command;
use crate::exit::Exit;
use crate::log::Format;
use crate::message::Failure;
use crate::progress::{Console, DataProgress};
use crate::signal::Signals;

/// Does what `firebrick` was told.
pub fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Train(arguments) => train::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Summary(arguments) => summary::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Config(command) => config::run(&command),
        Command::Data(command) => data::run(&command),
        Command::Loss(arguments) => loss::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    }
}

/// What commands with a long phase share: somewhere to tell it, and Ctrl-C as a polite request.
struct Attended {
    console: Console,
    signals: Signals,
}

impl Attended {
    fn new(format: Format) -> Result<Self, Failure> {
        // Nothing else in this process waits for the kernels' threads.
        own_process();
        let console = Console::new(format);
        let signals = Self::listen(&console)
            .map_err(|error| Failure::storage(format!("cannot listen to Ctrl-C: {error}")))?;
        Ok(Self { console, signals })
    }

    fn listen(console: &Console) -> std::io::Result<Signals> {
        let signals = Signals::install()?;
        if console.format() != Format::Quiet {
            let console = console.clone();
            Signals::acknowledge(move |signal| {
                let name = signal.name();
                console.line(&format!(
                    "{name}: stopping as soon as everything is saved; once more leaves at once"
                ));
            })?;
        }
        Ok(signals)
    }

    fn progress(&self) -> DataProgress {
        DataProgress::new(self.console.clone(), self.signals.clone())
    }

    /// Why a phase ended that was asked to.
    fn stopped(&self) -> Failure {
        self.signals.received().map_or_else(|| Failure::usage("stopped"), Failure::Stopped)
    }

    /// Takes the bar away, and knows an error that a signal caused.
    fn finish<T, E: Into<TrainError>>(&self, result: Result<T, E>) -> Result<T, Failure> {
        self.console.clear();
        result.map_err(|error| {
            let error = error.into();
            match (&error, self.signals.received()) {
                (TrainError::Data(DataError::Cancelled { .. }), Some(signal)) => Failure::Stopped(signal),
                _ => error.into(),
            }
        })
    }
}
