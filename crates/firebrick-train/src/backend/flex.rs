//! Burn's flex backend, on the CPU.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "flex",
    is_compiled: cfg!(feature = "flex"),
    devices,
    hint_for_missing_adapter: "use another backend",
    is_deterministic: true,
    auto: Auto::AnyDevice(0),
};

#[cfg(feature = "flex")]
fn devices() -> Vec<Device> {
    vec![Device::flex()]
}

#[cfg(not(feature = "flex"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
