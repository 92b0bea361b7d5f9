//! The kernels as a Burn backend extension.
//!
//! `native.rs` is what the crate calls, `kernel_backend.rs` what Burn dispatches to; `native_floats.rs` is what a CPU backend
//! must offer for it (`flex.rs`, `ndarray.rs`). Each operation has a file with its forward and its backward pass; that
//! file or `autodiff.rs` registers them with Burn's graph.

mod activation;
mod autodiff;
mod batch_norm;
mod block;
mod cross_entropy;
#[cfg(feature = "flex")]
mod flex;
mod implement;
mod kernel_backend;
mod layer_norm;
mod native;
mod native_floats;
#[cfg(feature = "ndarray")]
mod ndarray;
mod pooling;
mod scale;
mod vector;

pub(crate) use native::{IS_COMPILED_IN, Native};
