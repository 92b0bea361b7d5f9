//! wgpu pinned to Metal.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "metal",
    is_compiled: cfg!(feature = "metal"),
    devices,
    hint_for_missing_adapter: "use --backend flex",
    is_deterministic: false,
    auto: Auto::RealGpu(2),
};

#[cfg(feature = "metal")]
fn devices() -> Vec<Device> {
    Device::enumerate(burn::tensor::DeviceType::Metal).into_vec()
}

#[cfg(not(feature = "metal"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
