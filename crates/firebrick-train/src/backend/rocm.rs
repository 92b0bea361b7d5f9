//! AMD GPUs through ROCm.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "rocm",
    is_compiled: cfg!(feature = "rocm"),
    devices,
    hint_for_missing_adapter: "check `rocminfo`, or use --backend flex",
    is_deterministic: false,
    auto: Auto::RealGpu(1),
};

#[cfg(feature = "rocm")]
fn devices() -> Vec<Device> {
    Device::enumerate(burn::tensor::DeviceType::Rocm).into_vec()
}

#[cfg(not(feature = "rocm"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
