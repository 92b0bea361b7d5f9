//! Depthwise convolution, forward and both gradients: every channel has a filter of its own, so the lanes run along the
//! channels of a pixel, and what is multiplied is read once and where it lies, without a border.

mod channels;
mod convolution;
mod weight_grad;

pub(super) use channels::applies;
pub(super) use convolution::run;
pub(super) use weight_grad::run as run_weight_gradient;
