//! wgpu pinned to Vulkan.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "vulkan",
    is_compiled: cfg!(feature = "vulkan"),
    devices,
    hint_for_missing_adapter: "install the GPU's Vulkan driver (or Mesa's software one: `apt-get install mesa-vulkan-drivers`), \
     or use --backend flex",
    is_deterministic: false,
    auto: Auto::RealGpu(3),
};

#[cfg(feature = "vulkan")]
fn devices() -> Vec<Device> {
    Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec()
}

#[cfg(not(feature = "vulkan"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
