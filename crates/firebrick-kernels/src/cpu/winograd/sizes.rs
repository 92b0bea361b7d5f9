//! The sizes of the algorithm, and where it is faster than direct convolution.

use crate::cpu::shape::{ConvShape, Direction};

/// Evaluation points on one axis.
pub(super) const POINTS: usize = 6;

/// Products of one tile.
pub(super) const PRODUCTS: usize = POINTS * POINTS;

/// Channels below which the transforms cost more than the products they save.
const MIN_CHANNELS: usize = 16;

/// Tiles of the batch below which transforming the weight costs more than the products saved.
const MIN_TILES: usize = 64;

/// Whether Winograd's algorithm applies to `shape` and is faster than direct convolution.
pub(in crate::cpu) fn applies(shape: &ConvShape, direction: Direction) -> bool {
    let plain = shape.stride == [1, 1] && shape.dilation == [1, 1] && shape.groups == 1;
    let kernel = shape.kernel == [3, 3] || shape.kernel == [5, 5];
    if !plain || !kernel {
        return false;
    }
    let [_, results] = direction.sizes(shape);
    let tile = tile_size(shape);
    let tiles = shape.batch * results.iter().map(|size| size.div_ceil(tile)).product::<usize>();
    tiles >= MIN_TILES
        && shape.in_channels >= MIN_CHANNELS
        && shape.out_channels >= MIN_CHANNELS
        && results.iter().all(|size| *size >= tile)
}

/// Results of one tile on one axis.
pub(super) fn tile_size(shape: &ConvShape) -> usize {
    POINTS + 1 - shape.kernel[0]
}
