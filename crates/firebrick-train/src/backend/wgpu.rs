//! Any GPU through wgpu; which graphics API is wgpu's choice.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "wgpu",
    is_compiled: cfg!(feature = "wgpu"),
    devices,
    hint_for_missing_adapter: "install the GPU's Vulkan driver (or Mesa's software one: `apt-get install mesa-vulkan-drivers`), \
     or use --backend flex",
    is_deterministic: false,
    auto: Auto::RealGpu(4),
};

#[cfg(feature = "wgpu")]
fn devices() -> Vec<Device> {
    Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec()
}

#[cfg(not(feature = "wgpu"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
