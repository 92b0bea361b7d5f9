//! Batch-blocked direct convolution, and the gradient of its input: a register tile holds the same pixel of several images.
//!
//! A block of the batch, as many images as the tiles' form says ([`Broadcast::batch_block`](super::Broadcast)), is packed so
//! that the images' values of one pixel lie side by side, a panel of channels at a time:
//! `[panel][row][column][image][channel]`. For one pixel all images have the same taps inside the image, so the taps that
//! would read the zero border are left out and no border is copied; with 4x4 images and 3x3 taps that is a third of the
//! products. And the distance from image to image is the panel's, whatever the convolution's sizes, so it is a constant to
//! the compiler (see `convolve_batch_blocked`). Only with AVX-512's registers does that pay.
//!
//! Every result sums in the order of [`direct`](super::direct): the bits are the same, as long as the weights are finite
//! (there the border's zeros are multiplied by them).

mod convolution;
mod item;
mod job;

pub(super) use convolution::{applies, run};
