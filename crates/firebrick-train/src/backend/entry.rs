//! What is known of a backend.

use burn::tensor::Device;

/// One backend. A file makes one, `list.rs` names it.
pub(super) struct Entry {
    /// As written in a config; also the Cargo feature.
    pub name: &'static str,
    /// Whether the Cargo feature is on.
    pub is_compiled: bool,
    /// The devices of this machine in the order of their index; none when it is not compiled in or finds nothing.
    pub devices: fn() -> Vec<Device>,
    /// What to do when there is no device.
    pub hint_for_missing_adapter: &'static str,
    /// Whether equal runs give equal bits.
    pub is_deterministic: bool,
    /// When `auto` takes it.
    pub auto: Auto,
}

/// When `auto` takes a backend. Smaller ones are asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Auto {
    /// If it has a card on a bus, not only a software renderer; smaller numbers first.
    RealGpu(u8),
    /// If it has any device; smaller numbers first.
    AnyDevice(u8),
}
