//! Fast CPU convolution and pooling, forward and backward, as a Burn backend extension.

pub mod cpu;
