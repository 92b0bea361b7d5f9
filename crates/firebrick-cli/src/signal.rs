//! Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator;

/// A signal that asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What `kill` and job schedulers send.
    Terminate,
}

impl Signal {
    const ALL: [Self; 2] = [Self::Interrupt, Self::Terminate];

    fn number(self) -> i32 {
        match self {
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
        }
    }

    /// 128 and the signal's number, as shells count.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// As `kill -l` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Remembers whether a signal came. Clones share the memory.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Number of the first signal, 0 before it.
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on the first signal is remembered, and the second ends the process with its exit
    /// code, whatever it is doing: a run folder survives that as it survives a crash.
    ///
    /// # Errors
    ///
    /// The system refuses a handler.
    pub fn install() -> io::Result<Self> {
        let signals = Self::default();
        let already_asked = Arc::new(AtomicBool::new(false));
        for signal in Signal::ALL {
            let number = signal.number();
            // Actions run in the order of their registration: the first signal finds the flag down.
            flag::register_conditional_shutdown(
                number,
                i32::from(signal.exit_code()),
                already_asked.clone(),
            )?;
            flag::register(number, already_asked.clone())?;
            flag::register_usize(number, signals.number.clone(), number.unsigned_abs() as usize)?;
        }
        Ok(signals)
    }

    /// Calls `tell` when the first signal comes, from a thread of its own: a step or a read may take
    /// long, and Ctrl-C without an answer looks as if it were lost.
    ///
    /// # Errors
    ///
    /// The system refuses a thread or a handler.
    pub fn acknowledge(tell: impl FnOnce(Signal) + Send + 'static) -> io::Result<()> {
        let mut arrivals = iterator::Signals::new(Signal::ALL.map(Signal::number))?;
        let listen = move || {
            let first =
                arrivals.forever().find_map(|number| Signal::ALL.into_iter().find(|s| s.number() == number));
            if let Some(signal) = first {
                tell(signal);
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop)
    }

    /// The signal that came, if one did.
    pub fn received(&self) -> Option<Signal> {
        let number = self.number.load(Ordering::SeqCst);
        Signal::ALL.into_iter().find(|signal| signal.number().unsigned_abs() as usize == number)
    }
}
