//! What a device says of itself.

use burn::tensor::Device;

/// A card on a bus, as opposed to a software renderer.
#[cfg(feature = "cubecl")]
pub(super) fn is_real_gpu(device: &Device) -> bool {
    device.identity().is_some_and(|identity| identity.physical.is_some())
}

#[cfg(not(feature = "cubecl"))]
pub(super) fn is_real_gpu(_device: &Device) -> bool {
    false
}

/// What a device calls itself; the CPU's model name for the CPU backends.
#[cfg(feature = "cubecl")]
pub fn device_name(device: &Device) -> String {
    device.identity().map_or_else(cpu_name, |identity| identity.name)
}

/// What a device calls itself; the CPU's model name for the CPU backends.
#[cfg(not(feature = "cubecl"))]
pub fn device_name(_device: &Device) -> String {
    cpu_name()
}

fn cpu_name() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            line.split_once(':').map(|(_, name)| name.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
