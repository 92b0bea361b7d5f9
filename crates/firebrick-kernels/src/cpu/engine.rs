//! What the kernels may use of this machine.

use std::sync::OnceLock;

use super::broadcast::Broadcast;
use super::isa::Isa;

/// The environment variable that switches Winograd's algorithm off when it is `0`.
/// [`check_environment`](crate::check_environment) refuses what it cannot be, as for the others.
pub const WINOGRAD_VARIABLE: &str = "FIREBRICK_WINOGRAD";

/// What the kernels may use. Its methods are the kernels: convolutions in `convolution.rs`, the others in the files named
/// after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The vector instructions.
    pub isa: Isa,
    /// How the widest registers' tiles broadcast.
    pub broadcast: Broadcast,
    /// Whether Winograd's algorithm may be chosen where it is faster.
    pub winograd: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self::current()
    }
}

impl Engine {
    /// The engine for this machine and environment ([`ISA_VARIABLE`](super::ISA_VARIABLE),
    /// [`TILES_VARIABLE`](super::TILES_VARIABLE), [`WINOGRAD_VARIABLE`]).
    #[must_use]
    pub fn current() -> Self {
        static WINOGRAD: OnceLock<bool> = OnceLock::new();
        let is_off =
            *WINOGRAD.get_or_init(|| std::env::var(WINOGRAD_VARIABLE).is_ok_and(|value| value.trim() == "0"));
        Self { isa: Isa::current(), broadcast: Broadcast::current(), winograd: !is_off }
    }
}
