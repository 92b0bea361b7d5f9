//! The gradient of a convolution's weight and bias, without im2col.
//!
//! For a tap and an input channel the gradient is a correlation of two images, so a register tile keeps
//! some (tap, channel) pairs that lie side by side, by registers of output channels, and walks over the pixels. The
//! order of additions is fixed by the shape alone: pixels within a chunk of images and rows, chunks within a shard
//! of the batch, then shards. Threads share shards and tiles and never split a sum.

mod gradient;
mod input_layout;
mod item;
mod job;

pub(super) use gradient::run;
