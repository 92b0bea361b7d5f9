//! Ctrl-C, SIGTERM and a closed terminal (SIGHUP): the first asks for a clean stop, the second ends the process at once.

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
    /// The terminal was closed, or the connection to it was lost.
    Hangup,
}

/// Its number on every Unix; other systems do not have it.
const SIGHUP: i32 = 1;

impl Signal {
    const ALL: [Self; 3] = [Self::Interrupt, Self::Terminate, Self::Hangup];

    /// Those that this process listens to. A hangup that is ignored, as `nohup` has it, stays ignored.
    fn heeded() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|signal| *signal != Self::Hangup || heeds_hangup())
    }

    fn number(self) -> i32 {
        match self {
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
            Self::Hangup => SIGHUP,
        }
    }

    /// 128 and the signal's number, as shells count.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }

    /// As `kill -l` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }
}

/// Whether the process was begun with SIGHUP not ignored. Where the system does not tell, the signal is left alone.
fn heeds_hangup() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 0)
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
        for signal in Signal::heeded() {
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
        let mut arrivals = iterator::Signals::new(Signal::heeded().map(Signal::number))?;
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
