//! The kernels themselves, on plain slices of f32, without Burn.
//!
//! Activations are NHWC, weights in the order that their shape says. Start at [`Engine`].

mod abreast;
mod awake;
mod batch_norm;
mod cross_entropy;
mod depthwise;
mod direct;
mod engine;
mod few_rows;
mod isa;
mod linear;
mod pack;
mod pass;
mod peak;
mod pooling;
mod results;
mod scratch;
mod shape;
mod share;
mod simd;
mod source;
mod tile;
mod tile_form;
mod vector;
mod weight_grad;
mod window;
mod winograd;

pub use awake::with_another_awake;
pub use batch_norm::{ChannelStatistics, NormGradients, NormSaved, Normalisation};
pub use cross_entropy::{CrossEntropy, cross_entropy, cross_entropy_gradient};
pub use engine::{
    Activation, ConvGradients, Engine, OutputGradient, Parameters, Pooled, WINOGRAD_VARIABLE, Wanted,
};
pub use isa::{ISA_VARIABLE, Isa};
pub use pooling::{MaxPooled, PoolShape};
pub use shape::{ConvShape, ShapeError, WeightOrder};
pub use tile_form::{TILES_VARIABLE, TileForm};
