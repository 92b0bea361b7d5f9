//! Winograd's minimal filtering: convolution with a quarter to a third of the multiplications.
//!
//! A tile of `M` by `M` results of an `R` by `R` kernel is evaluated at 6 by 6 points (0, 1, -1,
//! 2, -2, infinity on each axis; `M + R - 1 = 6`), where convolution is a product: 36 products
//! where direct convolution needs `(M * R)^2` = 100 (5x5) or 144 (3x3). Between the transforms lie
//! 36 small matrix products, computed by the same register tiles as direct convolution.
//!
//! # Source
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, <https://arxiv.org/abs/1509.09308>.

mod convolution;
mod grid;
mod transform;
mod weight_grad;
mod weights;

pub(crate) use convolution::run;
pub(crate) use weight_grad::run as run_weight_gradient;

use super::pack::Direction;
use super::shape::ConvShape;

/// Evaluation points on one axis.
pub(crate) const POINTS: usize = 6;

/// Products of one tile.
pub(crate) const PRODUCTS: usize = POINTS * POINTS;

/// Channels below which the transforms cost more than the products they save.
const MIN_CHANNELS: usize = 16;

/// Tiles of the batch below which transforming the weight costs more than the products saved.
const MIN_TILES: usize = 64;

/// Whether Winograd's algorithm applies to `shape` and is faster than direct convolution.
pub(crate) fn applies(shape: &ConvShape, direction: Direction) -> bool {
    let plain = shape.stride == [1, 1] && shape.dilation == [1, 1] && shape.groups == 1;
    let kernel = shape.kernel == [3, 3] || shape.kernel == [5, 5];
    if !plain || !kernel {
        return false;
    }
    let results = match direction {
        Direction::Forward => shape.output(),
        Direction::InputGradient => shape.input,
    };
    let tile = tile_size(shape);
    let tiles = shape.batch * results.iter().map(|size| size.div_ceil(tile)).product::<usize>();
    tiles >= MIN_TILES
        && shape.in_channels >= MIN_CHANNELS
        && shape.out_channels >= MIN_CHANNELS
        && results.iter().all(|size| *size >= tile)
}

/// Results of one tile on one axis.
pub(crate) fn tile_size(shape: &ConvShape) -> usize {
    POINTS + 1 - shape.kernel[0]
}
