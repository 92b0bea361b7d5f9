//! Fast CPU convolution and pooling, forward and backward, as a Burn backend extension.
//!
//! - [`cpu`]: the kernels, on plain slices, without Burn.
//! - [`conv2d`], [`conv2d_block`], [`max_pool2d`], [`avg_pool2d`], [`global_avg_pool2d`]: the layers' functions on Burn's tensors. On the `flex` and `ndarray`
//!   backends they run the kernels, with a backward pass written by hand; on every other backend, and for other
//!   element types, they call Burn's own operations. Callers cannot tell the difference but by the time it takes.
//!
//! Between layers an activation is a logical NCHW tensor whose memory is NHWC (a permuted view), so
//! that nothing is converted between two of these layers.

pub mod cpu;

#[cfg(any(feature = "flex", feature = "ndarray"))]
mod backend;
mod functional;
mod pooling;

pub use cpu::Activation;
pub use functional::{Conv2dOptions, Pool, conv2d, conv2d_block};
pub use pooling::{Pool2dOptions, avg_pool2d, global_avg_pool2d, max_pool2d};
