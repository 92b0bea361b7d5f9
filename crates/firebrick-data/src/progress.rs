//! How the slow parts (reading, decoding, downloading) tell their caller how far they are. The
//! library prints nothing itself.

/// Receives the progress of reading or downloading; `()` ignores it.
pub trait Progress: Send + Sync {
    /// A new stage began. `total` is what [`Progress::advance`] will add up to, in bytes for
    /// files and in images for an image folder, where it is known.
    fn stage(&self, message: &str, total: Option<u64>);

    /// `delta` more of the current stage is done.
    fn advance(&self, delta: u64);

    /// True when the caller wants to stop; the operation then ends with
    /// [`DataError::Cancelled`](crate::DataError::Cancelled).
    fn is_cancelled(&self) -> bool {
        false
    }

    /// True when nothing may be fetched: what is not on the disk is then an error that says which file is missing and where
    /// it belongs. Left out: whether the environment variable `FIREBRICK_OFFLINE` is set, to anything but `0`.
    fn is_offline(&self) -> bool {
        offline_by_environment()
    }
}

/// Whether `FIREBRICK_OFFLINE` is set, to anything but nothing and `0`.
pub fn offline_by_environment() -> bool {
    std::env::var_os("FIREBRICK_OFFLINE").is_some_and(|value| !value.is_empty() && value != "0")
}

impl Progress for () {
    fn stage(&self, _message: &str, _total: Option<u64>) {}
    fn advance(&self, _delta: u64) {}
}
