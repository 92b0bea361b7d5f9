//! CubeCL's own CPU runtime.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "cpu",
    is_compiled: cfg!(feature = "cpu"),
    devices,
    hint_for_missing_adapter: "use --backend flex",
    is_deterministic: false,
    auto: Auto::AnyDevice(2),
};

#[cfg(feature = "cpu")]
fn devices() -> Vec<Device> {
    Device::enumerate(burn::tensor::DeviceType::Cpu).into_vec()
}

#[cfg(not(feature = "cpu"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
