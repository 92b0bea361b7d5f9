//! Exit codes: what a shell learns of how it went.

use std::process::ExitCode;

use firebrick::train::ErrorKind;

use crate::signal::Signal;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: the training diverged, or what was compared differs.
    Failed,
    /// 2: wrong arguments or config.
    Usage,
    /// 3: missing or damaged data.
    Data,
    /// 4: a file that cannot be written, or a checkpoint that cannot be used.
    Storage,
    /// 129, 130 or 143: stopped by a signal.
    Stopped(Signal),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Data => 3,
            Self::Storage => 4,
            Self::Stopped(signal) => signal.exit_code(),
        }
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Diverged => Self::Failed,
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Data => Self::Data,
            ErrorKind::Storage => Self::Storage,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
