//! Batch normalisation of NHWC arrays: statistics of the channels, normalisation with what follows it, gradients.
//!
//! An array is walked in chunks of pixels whose size depends on the number of channels alone, and
//! chunks are added up in their order, so results do not depend on the number of threads. Within a
//! chunk the lanes run along channels, so they do not depend on the width of the registers either.

mod chunks;
mod known;
mod map;
mod normalisation;
mod sums;

pub use normalisation::{ChannelStatistics, NormGradients, NormSaved, Normalisation};
