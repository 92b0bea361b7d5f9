//! What commands with a long phase share: somewhere to tell it, and Ctrl-C as a polite request.

use clap::Args;
use firebrick::data::DataError;
use firebrick::train::TrainError;
use firebrick::train::backend::own_process;

use crate::console::{Console, Format};
use crate::message::Failure;
use crate::progress::DataProgress;
use crate::signal::Signals;

/// A command that a person waits for.
pub struct Attended {
    /// Where its progress is told.
    pub console: Console,
    /// Whether it was asked to stop.
    pub signals: Signals,
    /// Whether it may fetch nothing.
    offline: bool,
}

/// `--offline`, of every command that may fetch something.
#[derive(Debug, Clone, Copy, Args)]
pub struct NetworkArgument {
    /// Fetch nothing: what is not on this machine is an error that says which file is missing and where it
    /// belongs. FIREBRICK_OFFLINE=1 says it for every command
    #[arg(long)]
    pub offline: bool,
}

impl Attended {
    /// Listens to signals from now on.
    ///
    /// # Errors
    ///
    /// The system refuses a signal handler.
    pub fn new(format: Format) -> Result<Self, Failure> {
        // Nothing else in this process waits for the kernels' threads.
        own_process();
        let console = Console::new(format);
        let signals = listen(&console)
            .map_err(|error| Failure::storage(format!("cannot listen to Ctrl-C: {error}")))?;
        Ok(Self { console, signals, offline: false })
    }

    /// The same, which may fetch nothing if `network` says so.
    pub fn on(self, network: NetworkArgument) -> Self {
        Self { offline: network.offline, ..self }
    }

    /// Whom the data part tells its progress.
    pub fn progress(&self) -> DataProgress {
        DataProgress::new(self.console.clone(), self.signals.clone(), self.offline)
    }

    /// Whether a signal has asked to stop.
    ///
    /// # Errors
    ///
    /// [`Failure::Stopped`] if so; the bar is gone then.
    pub fn go_on(&self) -> Result<(), Failure> {
        match self.signals.received() {
            Some(signal) => {
                self.console.clear();
                Err(Failure::Stopped(signal))
            }
            None => Ok(()),
        }
    }

    /// Why a phase ended that ends before its time only after a signal.
    pub fn stopped(&self) -> Failure {
        let signal = self.signals.received();
        Failure::Stopped(signal.unwrap_or_else(|| unreachable!("bug: a phase stopped without a signal")))
    }

    /// Takes the bar away, and knows an error that a signal caused.
    pub fn finish<T, E: Into<TrainError>>(&self, result: Result<T, E>) -> Result<T, Failure> {
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

fn listen(console: &Console) -> std::io::Result<Signals> {
    let signals = Signals::install()?;
    if console.format() != Format::Quiet {
        let console = console.clone();
        Signals::acknowledge(move |signal| {
            let name = signal.name();
            console
                .line(&format!("{name}: stopping as soon as everything is saved; once more leaves at once"));
        })?;
    }
    Ok(signals)
}
