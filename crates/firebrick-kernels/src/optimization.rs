//! Whether the kernels were compiled with optimisation: without it they are some fifty times slower.

use burn::tensor::Device;

use crate::backend::Native;

/// Cargo's `opt-level` for this crate, as `build.rs` saw it.
const LEVEL: &str = env!("FIREBRICK_KERNELS_OPT_LEVEL");

/// Whether the tensors of `device` are computed by kernels that were compiled without optimisation, as the dev profile of
/// a program does unless its `Cargo.toml` says otherwise.
pub fn is_unoptimized(device: &Device) -> bool {
    LEVEL == "0" && Native::of(device).is_some()
}
