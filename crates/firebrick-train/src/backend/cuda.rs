//! NVIDIA GPUs through CUDA.

use burn::tensor::Device;

use super::entry::{Auto, Entry};

pub(super) const BACKEND: Entry = Entry {
    name: "cuda",
    is_compiled: cfg!(feature = "cuda"),
    devices,
    hint_for_missing_adapter: "check `nvidia-smi` and the CUDA runtime libraries, or use --backend flex",
    is_deterministic: false,
    auto: Auto::RealGpu(0),
};

#[cfg(feature = "cuda")]
fn devices() -> Vec<Device> {
    Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec()
}

#[cfg(not(feature = "cuda"))]
fn devices() -> Vec<Device> {
    Vec::new()
}
