//! The list of backends.

use super::entry::Entry;
use super::{cpu, cuda, flex, metal, ndarray, rocm, vulkan, wgpu};

/// Every backend, in the order in which they are listed.
pub(super) const LIST: &[&Entry] = &[
    &ndarray::BACKEND,
    &flex::BACKEND,
    &wgpu::BACKEND,
    &cuda::BACKEND,
    &vulkan::BACKEND,
    &metal::BACKEND,
    &rocm::BACKEND,
    &cpu::BACKEND,
];
