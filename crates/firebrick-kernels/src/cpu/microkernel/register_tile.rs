//! Register tiles: the sums that a microkernel keeps in registers from the first product to the last.

use crate::cpu::simd::F32s;

/// Sums of `P` pixels by `V` registers of output channels (BLIS's microtile).
pub(crate) type RegisterTile<S, const P: usize, const V: usize> = [[F32s<S>; V]; P];

/// Products of one sum from which on the widest registers are worth their larger tile.
const DEEP_SUM: usize = 512;

/// Pixels of a tile for this register width and this number of products: as many as leave no register spilled, fewer where
/// a tile is so soon done that its beginning and end weigh more. The number changes no sum.
pub(crate) const fn tile_rows(lanes: usize, depth: usize) -> usize {
    match lanes {
        16 if depth >= DEEP_SUM => 12,
        8 => 6,
        _ => 8,
    }
}
