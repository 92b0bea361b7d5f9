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
}

impl Progress for () {
    fn stage(&self, _message: &str, _total: Option<u64>) {}
    fn advance(&self, _delta: u64) {}
}
