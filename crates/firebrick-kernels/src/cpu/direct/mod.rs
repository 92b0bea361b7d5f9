//! Direct convolution, and the gradient of its input, without im2col.
//!
//! A result sums over runs of consecutive floats of its window (for a dense kernel one run is a whole
//! kernel row of all channels); some pixels by one, two or four registers of output channels are summed in
//! registers. Every result is computed by one thread from start to end, so the split into items
//! may follow the number of threads without changing a bit.

mod convolution;
mod item;
mod job;

pub(super) use convolution::run;
