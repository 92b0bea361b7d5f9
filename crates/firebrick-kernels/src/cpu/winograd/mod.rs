//! Winograd's minimal filtering: convolution with a quarter to a third of the multiplications.
//!
//! A tile of `M` by `M` results of an `R` by `R` kernel is evaluated at 6 by 6 points (`transform.rs` says which;
//! `M + R - 1 = 6`), where convolution is a product: 36 products where direct convolution needs `(M * R)^2` = 100 (5x5) or
//! 144 (3x3). Between the transforms lie 36 small matrix products, computed by the same microkernel as direct convolution.
//!
//! # Source
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, <https://arxiv.org/abs/1509.09308>.

mod convolution;
mod grid;
mod input;
mod sizes;
mod transform;
mod weight_grad;
mod weights;

pub(super) use convolution::run;
pub(super) use sizes::applies;
pub(super) use weight_grad::run as run_weight_gradient;
