//! The microkernels, in which nearly all arithmetic happens.
//!
//! All of them keep a register tile: rows of registers of sums. For every product they broadcast one value for each row and
//! multiply it by registers that all rows share. The lanes run along output channels, so a sum's order of additions never
//! depends on the width of the registers, nor on the size of the tile.

mod convolve;
mod correlate;
mod register_tile;

pub(crate) use convolve::{DEPTH_BLOCK, convolve, convolve_batch_blocked, convolve_depth_blocked};
pub(crate) use correlate::{
    Accumulate, MAX_OVERREAD, MAX_TILE_ROWS, Walk, correlate_contiguous, correlate_gathered,
};
pub(crate) use register_tile::{RegisterTile, tile_rows};
