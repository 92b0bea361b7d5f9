//! The kernels against naive references, across instruction sets and thread counts, and on Burn's tensors.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "kernels/batch_norm.rs"]
mod batch_norm;
#[path = "kernels/burn_functions.rs"]
mod burn_functions;
#[path = "kernels/burn_tensors.rs"]
mod burn_tensors;
#[path = "kernels/convolution.rs"]
mod convolution;
#[path = "kernels/elementwise.rs"]
mod elementwise;
#[path = "kernels/fusion.rs"]
mod fusion;
#[path = "kernels/pooling.rs"]
mod pooling;
#[path = "kernels/reference.rs"]
mod reference;
#[path = "kernels/shapes.rs"]
mod shapes;
#[path = "kernels/spin_wait.rs"]
mod spin_wait;
#[path = "kernels/vector.rs"]
mod vector;
