//! The kernels themselves, on plain slices of f32, without Burn.
//!
//! Activations are NHWC, weights in the order that their shape says. [`Engine`] is what may be used of a machine, and its
//! methods are the kernels. The path of a convolution, forward or for its input's gradient, and the file of each stage:
//!
//! ```text
//!    Engine::forward, forward_pooled, input_gradient                                convolution.rs
//!    checks lengths, chooses the algorithm, allocates the result
//!                                        |
//!       +---------------+----------------+----------------+---------------------+
//!       |               |                |                |                     |
//!    gemv.rs        linear.rs       depthwise/        winograd/      direct/, batch_blocked/
//!    linear layer,  linear layer    one channel       many channels,  everything else
//!    few rows                       a group           3x3 or 5x5
//!       |               |                |                |                     |
//!       +---------------+----------------+----------------+---------------------+
//!                                        |
//!    geometry    pass.rs         which pixels a result reads, its taps in the order of the sum
//!    split       parallel.rs     items of images, rows of results and blocks of channels
//!                                        |
//!                        input           |            weight
//!                          |             |              |
//!                source.rs, window.rs    |            pack/
//!                in place, or copied     |            copied to panels:
//!                with a zero border      |            [block][tap][channel][lanes]
//!                          |             |              |
//!                          +-------------+--------------+
//!                                        v
//!    microkernel microkernel/    a register tile, pixels by registers of channels:
//!                                sum += broadcast input * packed weight, from the bias on
//!                                        |
//!                                        v
//!    epilogue    epilogue.rs     ReLU and 2x2 max pooling while the tile is stored
//!                                        |
//!                                      result
//! ```
//!
//! The gradient of a weight takes the same path with other microkernels (`microkernel/correlate.rs`): `weight_grad/`,
//! `winograd/weight_grad.rs`, `depthwise/weight_grad.rs` sum over pixels, `shards.rs` adds the shards of the batch up, and
//! `pack/` brings the sums back to the weight's order.

mod activation;
mod batch_blocked;
mod batch_norm;
mod broadcast;
mod cache;
mod convolution;
mod cross_entropy;
mod depthwise;
mod direct;
mod elementwise;
mod engine;
mod epilogue;
mod functions;
mod gemv;
mod isa;
mod layer_norm;
mod linear;
mod microkernel;
mod pack;
mod parallel;
mod pass;
mod peak;
mod pooling;
mod problem;
mod scale;
mod scratch;
mod shape;
mod shards;
mod simd;
mod source;
mod spin_wait;
mod transpose;
mod vector;
mod weight_grad;
mod window;
mod winograd;

pub use activation::{Activation, FusedActivation};
pub use batch_norm::{ChannelStatistics, NormGradients, NormSaved, Normalisation};
pub use broadcast::{Broadcast, TILES_VARIABLE};
pub use cross_entropy::{CrossEntropy, cross_entropy, cross_entropy_gradient};
pub use engine::{Engine, WINOGRAD_VARIABLE};
pub use isa::{ISA_VARIABLE, Isa};
pub use layer_norm::{LayerNormGradients, LayerNormed};
pub use pooling::{MaxPooled, PoolShape};
pub use problem::{ConvGradients, OutputGradient, Parameters, Pooled, Wanted};
pub use scale::ScaleShape;
pub use shape::{ConvShape, ShapeError, WeightOrder};
pub use spin_wait::with_spinning_worker;
pub use transpose::transpose;
