//! Fast CPU convolution, linear layers, pooling, normalisation and activations, forward and backward, as a Burn backend
//! extension.
//!
//! - [`cpu`]: the kernels, on plain slices, without Burn.
//! - [`conv2d`], [`conv2d_block`], [`linear`], [`max_pool2d`], [`avg_pool2d`], [`global_avg_pool2d`],
//!   [`adaptive_avg_pool2d`],
//!   [`batch_norm_train`], [`batch_norm`], [`layer_norm`], [`scale`], [`scale_add`], [`relu6`], [`hardsigmoid`],
//!   [`hardswish`], [`sigmoid`], [`silu`], [`gelu`]: the layers' functions on Burn's tensors. On the `flex` and `ndarray`
//!   backends they run the kernels, with a backward pass written by hand; on every other backend, and for other
//!   element types, they call Burn's own operations. Callers cannot tell the difference but by the time it takes.
//! - [`cross_entropy`]: the classifiers' loss as one step of the graph.
//! - [`scaled_sum`], [`two_scaled_sums`], [`l2_norm`]: what optimisers do to whole parameters, in one pass.
//! - [`near_kernels`]: runs a training step where calling a kernel costs least.
//! - [`is_unoptimized`]: whether this build computes slowly.
//!
//! Between layers an activation is a logical NCHW tensor whose memory is NHWC (a permuted view), so
//! that nothing is converted between two of these layers.

pub mod cpu;

#[cfg(feature = "mimalloc")]
mod allocator;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod backend;
#[cfg(not(any(feature = "flex", feature = "ndarray")))]
#[path = "no_backend.rs"]
mod backend;
mod batch_norm;
mod cross_entropy;
mod elementwise;
mod environment;
mod functional;
mod layer_norm;
mod operation;
mod optimization;
mod pooling;
mod scale;
mod threads;
mod vector;

#[cfg(feature = "mimalloc")]
pub use allocator::keep_freed_memory;
pub use batch_norm::{AfterNorm, BatchNormed, batch_norm, batch_norm_train};
pub use cpu::Activation;
pub use cross_entropy::cross_entropy;
pub use elementwise::{gelu, hardsigmoid, hardswish, relu, relu6, sigmoid, silu};
pub use environment::{VARIABLES, WrongVariable, check_environment};
pub use functional::{conv2d, conv2d_block, flatten, has_kernels_for, linear, used_twice};
pub use layer_norm::layer_norm;
pub use operation::{Conv2dOptions, Pool, Pool2dOptions, Total};
pub use optimization::is_unoptimized;
pub use pooling::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool2d, max_pool2d};
pub use scale::{scale, scale_add};
pub use threads::{join_kernel_threads, near_kernels};
pub use vector::{flattened, l2_norm, scaled_sum, two_scaled_sums, unflattened};
