//! Packing: weights are copied to the order in which the microkernels read them, and weight gradients back.

mod layout;
mod lines;
mod pairs;
mod transpose;
mod weight;

pub(crate) use layout::{Block, MaxRegisters, PackedWeight, WeightStrides, blocks};
pub(crate) use lines::PanelLines;
pub(crate) use pairs::{pack_pairs, unpack_pairs};
pub(crate) use transpose::{scatter, scatter_four};
pub(crate) use weight::{pack, unpack};
