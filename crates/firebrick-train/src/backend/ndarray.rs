//! Burn's ndarray backend, on the CPU.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "ndarray",
    is_compiled: cfg!(feature = "ndarray"),
    devices,
    hint_for_missing_adapter: "use --backend flex",
    is_deterministic: true,
    auto: Auto::AnyDevice(1),
};

#[cfg(feature = "ndarray")]
#[allow(deprecated)] // Gone in Burn 0.23; 0.22.1 is pinned because of it.
fn devices() -> Vec<Device> {
    vec![Device::ndarray()]
}

#[cfg(not(feature = "ndarray"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
